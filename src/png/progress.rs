//! Long work that can be watched and stopped.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use crate::{Error, ErrorKind};

/// How far a save or a read has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Progress {
    /// Rows that are done, all of them at last.
    pub rows: u32,
    /// Rows of the image.
    pub total: u32,
}

type Function = Box<dyn FnMut(Progress) -> ControlFlow<()> + Send>;

/// A function of the caller's, if there is one. The lock is never taken: with it
/// an encoder is as free to be shared as without the function.
#[derive(Default)]
pub(super) struct Watcher(Option<Mutex<Function>>);

impl Watcher {
    pub(super) fn new(function: impl FnMut(Progress) -> ControlFlow<()> + Send + 'static) -> Self {
        Watcher(Some(Mutex::new(Box::new(function))))
    }

    /// Tells the caller, who may want no more.
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
