//! Allocations that return an error instead of aborting.

/// The error of an allocation of this many bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoMemory(pub(crate) u64);

/// Returns a `Vec` of `bytes` zeros.
pub(crate) fn zeroed(bytes: u64) -> Result<Vec<u8>, NoMemory> {
    usize::try_from(bytes)
        .ok()
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .and_then(|bytes| bytemuck::allocation::try_zeroed_vec(bytes).ok())
        .ok_or(NoMemory(bytes))
}

/// Makes the buffer at least `size` bytes long. Its content is lost.
pub(crate) fn grow(buffer: &mut Vec<u8>, size: usize) -> Result<(), NoMemory> {
    if buffer.len() < size {
        *buffer = Vec::new(); // freed before the new one is allocated
        *buffer = zeroed(size as u64)?;
    }
    Ok(())
}

/// Returns the concatenation of the parts, in a buffer of exactly their size.
pub(crate) fn joined(parts: &[&[u8]]) -> Result<Vec<u8>, NoMemory> {
    let mut bytes = with_capacity(parts.iter().map(|part| part.len()).sum())?;
    for part in parts {
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

/// Returns an empty `Vec` with room for exactly this many elements.
pub(crate) fn with_capacity<T>(capacity: usize) -> Result<Vec<T>, NoMemory> {
    let mut empty = Vec::new();
    let reserved = empty.try_reserve_exact(capacity);
    reserved.map_err(|_| NoMemory(capacity.saturating_mul(size_of::<T>()) as u64))?;
    Ok(empty)
}

/// Appends an element.
pub(crate) fn push<T>(to: &mut Vec<T>, value: T) -> Result<(), NoMemory> {
    let bytes = size_of::<T>() * (to.len() + 1);
    to.try_reserve(1).map_err(|_| NoMemory(bytes as u64))?;
    to.push(value);
    Ok(())
}

/// Reserves capacity for `len` elements in total.
pub(crate) fn reserve<T>(items: &mut Vec<T>, len: usize) -> Result<(), NoMemory> {
    let missing = len.saturating_sub(items.len());
    let bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
    items
        .try_reserve_exact(missing)
        .map_err(|_| NoMemory(bytes))
}
