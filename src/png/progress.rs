//! Progress of saves and reads, and their cancellation.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use crate::{Error, ErrorKind};

/// The progress of a save or a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Progress {
    /// The number of rows that are done. The last call has `total`.
    pub rows: u32,
    /// The number of rows of the image.
    pub total: u32,
}

type Function = Box<dyn FnMut(Progress) -> ControlFlow<()> + Send>;

/// The caller's progress function, if there is one. The `Mutex` is never locked:
/// it makes the encoder `Sync` although the function is not.
#[derive(Default)]
pub(super) struct Watcher(Option<Mutex<Function>>);

impl Watcher {
    pub(super) fn new(function: impl FnMut(Progress) -> ControlFlow<()> + Send + 'static) -> Self {
        Watcher(Some(Mutex::new(Box::new(function))))
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the function returns
    /// [`ControlFlow::Break`].
    pub(super) fn tell(&mut self, rows: u32, total: u32) -> Result<(), Error> {
        let Some(function) = &mut self.0 else {
            return Ok(());
        };
        let function = function.get_mut().unwrap_or_else(PoisonError::into_inner);
        match function(Progress { rows, total }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ErrorKind::Cancelled.into()),
        }
    }
}
