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

/// Makes room for `len` items in all, or returns [`ErrorKind::OutOfMemory`].
pub(crate) fn reserve<T>(items: &mut Vec<T>, len: usize) -> Result<(), Error> {
    let missing = len.saturating_sub(items.len());
    items.try_reserve_exact(missing).map_err(|_| {
        let bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
        ErrorKind::OutOfMemory { bytes }.into()
    })
}
