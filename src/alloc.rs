//! Memory that may be refused.

use crate::{Error, ErrorKind};

/// Returns `bytes` zeros, or [`ErrorKind::OutOfMemory`].
pub(crate) fn zeroed(bytes: u64) -> Result<Vec<u8>, Error> {
    usize::try_from(bytes)
        .ok()
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .and_then(|bytes| bytemuck::allocation::try_zeroed_vec(bytes).ok())
        .ok_or_else(|| ErrorKind::OutOfMemory { bytes }.into())
}
