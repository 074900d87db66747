//! Copies from strided memory to packed bytes.

use super::run::{BLOCK, Run};
use crate::SourceError;
use crate::source::Bytes;

/// The largest stride in bytes at which units of live memory are copied
/// together with the gaps between them: one call copies many units.
const MAX_STRIDE_WITH_GAPS: usize = 64;

/// Copies the units of a run to `to`, one behind the other.
///
/// The gaps between the units are read only if they hold no other pixels of the
/// image: otherwise a save would request those pixels more than once.
pub(super) fn gather(bytes: Bytes<'_>, run: Run, to: &mut [u8]) -> Result<(), SourceError> {
    if run.is_contiguous() {
        return bytes.copy_to(run.start, to);
    }
    if run.is_reversed() {
        bytes.copy_to(run.lowest(), to)?;
        reverse_units(to, run.unit);
        return Ok(());
    }
    let stride = run.stride.unsigned_abs();
    match bytes {
        Bytes::Stable(bytes, _) => {
            gather_units(bytes, run.start, run.stride, to, run.unit);
            Ok(())
        }
        Bytes::Live(live) if run.gaps_are_unused && stride <= MAX_STRIDE_WITH_GAPS => {
            let most = (BLOCK - run.unit) / stride.max(1) + 1;
            let mut block = [0; BLOCK];
            for (first, part) in run.parts(most) {
                let with_gaps = &mut block[..(part.count - 1) * stride + part.unit];
                live.copy_to(part.lowest(), with_gaps)?;
                let to = &mut to[first * part.unit..][..part.count * part.unit];
                let start = part.start - part.lowest();
                gather_units(with_gaps, start, part.stride, to, part.unit);
            }
            Ok(())
        }
        Bytes::Live(live) => {
            for ((_, part), to) in run.parts(1).zip(to.chunks_exact_mut(run.unit)) {
                live.copy_to(part.start, to)?;
            }
            Ok(())
        }
    }
}

/// Copies units of `unit` bytes to `to`. The first begins at byte `start` of
/// `from`, each other `stride` bytes behind the one before.
fn gather_units(from: &[u8], start: usize, stride: isize, to: &mut [u8], unit: usize) {
    fn copy<const N: usize>(from: &[u8], start: usize, stride: isize, to: &mut [u8]) {
        let mut at = start;
        for to in to.as_chunks_mut::<N>().0 {
            to.copy_from_slice(&from[at..at + N]);
            at = at.wrapping_add_signed(stride);
        }
    }
    // Constant sizes let the compiler copy a unit without a call of `memcpy`.
    match unit {
        1 => copy::<1>(from, start, stride, to),
        2 => copy::<2>(from, start, stride, to),
        3 => copy::<3>(from, start, stride, to),
        4 => copy::<4>(from, start, stride, to),
        6 => copy::<6>(from, start, stride, to),
        8 => copy::<8>(from, start, stride, to),
        12 => copy::<12>(from, start, stride, to),
        16 => copy::<16>(from, start, stride, to),
        _ => {
            let mut at = start;
            for to in to.chunks_exact_mut(unit) {
                to.copy_from_slice(&from[at..at + unit]);
                at = at.wrapping_add_signed(stride);
            }
        }
    }
}

/// Reverses the order of the units, and keeps the order of the bytes in each.
pub(super) fn reverse_units(bytes: &mut [u8], unit: usize) {
    bytes.reverse();
    if unit > 1 {
        bytes.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
    }
}
