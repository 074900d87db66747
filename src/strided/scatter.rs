//! Copies from packed bytes to strided memory.

use super::gather::reverse_units;
use super::run::{BLOCK, Run};
use crate::SourceError;
use crate::source::BytesMut;

/// Copies units that lie one behind the other in `from` to the units of a run.
/// Writes no byte of the gaps between the units.
pub(super) fn scatter(bytes: &mut BytesMut<'_>, run: Run, from: &[u8]) -> Result<(), SourceError> {
    if run.is_contiguous() {
        return bytes.copy_from(run.start, from);
    }
    if run.is_reversed() {
        let mut block = [0; BLOCK];
        for (first, part) in run.parts(BLOCK / run.unit) {
            let block = &mut block[..part.count * part.unit];
            block.copy_from_slice(&from[first * part.unit..][..block.len()]);
            reverse_units(block, part.unit);
            bytes.copy_from(part.lowest(), block)?;
        }
        return Ok(());
    }
    if let BytesMut::Stable(bytes, _) = bytes {
        scatter_units(from, bytes, run.start, run.stride, run.unit);
        return Ok(());
    }
    for ((_, part), from) in run.parts(1).zip(from.chunks_exact(run.unit)) {
        bytes.copy_from(part.start, from)?;
    }
    Ok(())
}

/// Copies units of `unit` bytes from `from`. The first goes to byte `start` of
/// `to`, each other `stride` bytes behind the one before.
fn scatter_units(from: &[u8], to: &mut [u8], start: usize, stride: isize, unit: usize) {
    fn copy<const N: usize>(from: &[u8], to: &mut [u8], start: usize, stride: isize) {
        let mut at = start;
        for from in from.as_chunks::<N>().0 {
            to[at..at + N].copy_from_slice(from);
            at = at.wrapping_add_signed(stride);
        }
    }
    // Constant sizes let the compiler copy a unit without a call of `memcpy`.
    match unit {
        1 => copy::<1>(from, to, start, stride),
        2 => copy::<2>(from, to, start, stride),
        3 => copy::<3>(from, to, start, stride),
        4 => copy::<4>(from, to, start, stride),
        6 => copy::<6>(from, to, start, stride),
        8 => copy::<8>(from, to, start, stride),
        _ => {
            let mut at = start;
            for from in from.chunks_exact(unit) {
                to[at..at + unit].copy_from_slice(from);
                at = at.wrapping_add_signed(stride);
            }
        }
    }
}
