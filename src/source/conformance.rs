//! Checks for those who implement a source.

use std::fmt;

use super::{Bytes, BytesMut, PixelSource, PixelSourceMut, Shape, SourceError};
use crate::alloc::zeroed;

/// A promise that a source does not keep, found by [`check`] or [`check_mut`]. The text
/// names the promise and the numbers.
#[derive(Debug)]
pub struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

/// Returns a [`Fault`] with this text.
macro_rules! fault {
    ($($text:tt)*) => { return Err(Fault(format!($($text)*))) };
}

/// Checks that a source keeps the promises of [`PixelSource`] and
/// [`LiveBytes`](super::LiveBytes). Call it in a test of your own source.
///
/// Takes several leases. Reads all bytes at once and in many parts, which must agree.
/// Reads bytes beyond the end, which the source must refuse. Nobody may edit the source
/// meanwhile. Allocates two copies of the bytes.
///
/// A source that fails this check is safe to use all the same: a save of it fails, or
/// shows pixels other than those that the source means.
///
/// # Errors
///
/// The first [`Fault`] that was found.
///
/// # Examples
///
/// ```
/// use pixview::PixelSource;
/// use pixview::source::{Lease, LiveBytes, SourceError, conformance};
///
/// struct Registers([u8; 64]);
///
/// impl LiveBytes for &Registers {
///     fn len(&self) -> usize {
///         64
///     }
///
///     fn element_size(&self) -> usize {
///         1
///     }
///
///     fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
///         for (at, byte) in (offset..).zip(to) {
///             *byte = self.0[at % 64]; // wrong beyond the end
///         }
///         Ok(())
///     }
/// }
///
/// impl PixelSource for Registers {
///     fn lease(&self) -> Result<Lease<'_>, SourceError> {
///         Ok(Lease::live(self))
///     }
/// }
///
/// let fault = conformance::check(&Registers([7; 64])).unwrap_err();
/// assert_eq!(fault.to_string(), "1 bytes at 64 were read from 64 bytes");
/// ```
pub fn check(source: &(impl PixelSource + ?Sized)) -> Result<(), Fault> {
    let shape = shape_of(source)?;
    if shape.len > 0 {
        // First, so that memory for a length that is wrong is rarely taken.
        read(source, shape, shape.len - 1, &mut [0])?;
    }
    let whole = read_all(source, shape)?;
    for (start, part) in parts(shape) {
        let mut to = memory(part)?;
        to.fill(0x5a);
        read(source, shape, start, &mut to)?;
        compare(
            "bytes differ from an earlier read",
            &whole[start..][..part],
            start,
            &to,
        )?;
    }
    for (offset, count) in beyond_the_end(shape) {
        if read(source, shape, offset, &mut memory(count)?).is_ok() {
            fault!(
                "{count} bytes at {offset} were read from {} bytes",
                shape.len
            );
        }
    }
    let lease = source.lease().map_err(refused)?;
    if let Bytes::Live(live) = lease.bytes() {
        let (first, second) = (live.generation(), live.generation());
        if first != second {
            fault!("the generation number changed without an edit, from {first:?} to {second:?}");
        }
        if first.is_some_and(|number| !number.is_multiple_of(2)) {
            fault!("the generation number {first:?} is odd, and nobody edits the source");
        }
    }
    Ok(())
}

/// Checks that a source also keeps the promises of [`PixelSourceMut`] and
/// [`LiveBytesMut`](super::LiveBytesMut).
///
/// Makes the checks of [`check`]. Writes bytes and single bits in many places, reads all
/// bytes after each write, and writes the old bytes back at the end. That is some hundred
/// reads of the whole source: use a small one. Allocates four copies of the bytes.
///
/// # Errors
///
/// The first [`Fault`] that was found. The source may then have other bytes than
/// before.
///
/// # Examples
///
/// ```
/// use pixview::source::conformance;
/// use std::cell::Cell;
///
/// let mut cells = vec![Cell::new(3u16); 50];
/// conformance::check_mut(&mut cells)?;
/// assert_eq!(cells[49].get(), 3);
/// # Ok::<(), conformance::Fault>(())
/// ```
pub fn check_mut(source: &mut (impl PixelSourceMut + ?Sized)) -> Result<(), Fault> {
    check(source)?;
    let shape = shape_of(source)?;
    let old = read_all(source, shape)?;
    let mut expected = read_all(source, shape)?;
    for (at, (start, part)) in parts(shape).into_iter().enumerate() {
        let mut from = memory(part)?;
        for (i, byte) in from.iter_mut().enumerate() {
            *byte = (i * 7 + at * 31 + 1) as u8;
        }
        expected[start..start + part].copy_from_slice(&from);
        write(source, shape, |bytes| bytes.copy_from(start, &from))?;
        compare("after a write", &expected, 0, &read_all(source, shape)?)?;
        if start < shape.len {
            let (bits, mask) = (0xc3 ^ at as u8, 0x1e << (at % 4));
            expected[start] = expected[start] & !mask | bits & mask;
            write(source, shape, |bytes| bytes.update_bits(start, bits, mask))?;
            compare(
                "after a write of bits",
                &expected,
                0,
                &read_all(source, shape)?,
            )?;
        }
    }
    for (offset, count) in beyond_the_end(shape) {
        let from = memory(count)?;
        if write(source, shape, |bytes| bytes.copy_from(offset, &from)).is_ok() {
            fault!(
                "{count} bytes at {offset} were written to {} bytes",
                shape.len
            );
        }
        compare(
            "after a refused write",
            &expected,
            0,
            &read_all(source, shape)?,
        )?;
    }
    let outside = shape.len;
    if write(source, shape, |bytes| bytes.update_bits(outside, 0, 1)).is_ok() {
        fault!("bits of byte {outside} were written to {outside} bytes");
    }
    compare(
        "after a refused write of bits",
        &expected,
        0,
        &read_all(source, shape)?,
    )?;
    write(source, shape, |bytes| bytes.copy_from(0, &old))?;
    compare("after the last write", &old, 0, &read_all(source, shape)?)
}

/// Returns the places and lengths of parts to read: at the start, at the end, across
/// the borders of elements, none and all of the bytes.
fn parts(shape: Shape) -> Vec<(usize, usize)> {
    // A source may claim elements of any size.
    let (len, element) = (shape.len, shape.element_size);
    let elements = |count: usize| element.saturating_mul(count);
    let mut parts = vec![(0, len), (0, 0), (len, 0)];
    let border = elements(9).saturating_add(1);
    let borders = [0, 1, element, elements(8), border, len / 2, len];
    for start in borders
        .into_iter()
        .flat_map(|at| [at, at.saturating_add(1), len.saturating_sub(at)])
    {
        let (more, most) = (element.saturating_add(1), elements(17).saturating_add(3));
        for count in [1, 2, element, more, elements(8), most] {
            if start.checked_add(count).is_some_and(|end| end <= len) {
                parts.push((start, count));
            }
        }
    }
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// Returns the places and lengths of parts that reach beyond the end.
fn beyond_the_end(shape: Shape) -> [(usize, usize); 4] {
    let len = shape.len;
    [
        (len, 1),
        (len.saturating_sub(1), 2),
        (0, len + 1),
        (usize::MAX, 2),
    ]
}

/// Returns the fault of a source that refuses a lease, a read or a write.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn refused(error: SourceError) -> Fault {
    let cause = std::error::Error::source(&error);
    let cause = cause.map_or(String::new(), |cause| format!(": {cause}"));
    Fault(format!("the source refuses an access: {error}{cause}"))
}

/// Returns the properties of a lease as text.
fn text(shape: Shape) -> String {
    let Shape {
        len,
        element_size,
        atomic,
    } = shape;
    let atomic = if atomic { ", atomic" } else { "" };
    format!("{len} bytes in elements of {element_size}{atomic}")
}

/// Returns the shape of a source, which two leases must have in common.
fn shape_of(source: &(impl PixelSource + ?Sized)) -> Result<Shape, Fault> {
    let shape = || Ok(source.lease().map_err(refused)?.bytes().shape());
    let (first, second) = (shape()?, shape()?);
    if first != second {
        fault!("two leases differ: {}, and {}", text(first), text(second));
    }
    if first.element_size == 0 || !first.len.is_multiple_of(first.element_size) {
        fault!(
            "{} bytes are no whole number of elements of {} bytes",
            first.len,
            first.element_size
        );
    }
    Ok(first)
}

/// Returns this many zeros. A length that a source claims may be too large.
fn memory(bytes: usize) -> Result<Vec<u8>, Fault> {
    zeroed(bytes as u64).map_err(|_| Fault(format!("no memory for {bytes} bytes of the source")))
}

fn read(
    source: &(impl PixelSource + ?Sized),
    shape: Shape,
    offset: usize,
    to: &mut [u8],
) -> Result<(), Fault> {
    let lease = source.lease().map_err(refused)?;
    let found = lease.bytes().shape();
    if found != shape {
        fault!(
            "a lease has {}, an earlier one had {}",
            text(found),
            text(shape)
        );
    }
    lease.copy_to(offset, to).map_err(refused)
}

fn read_all(source: &(impl PixelSource + ?Sized), shape: Shape) -> Result<Vec<u8>, Fault> {
    let mut bytes = memory(shape.len)?;
    read(source, shape, 0, &mut bytes)?;
    Ok(bytes)
}

fn write(
    source: &mut (impl PixelSourceMut + ?Sized),
    shape: Shape,
    access: impl FnOnce(&mut BytesMut<'_>) -> Result<(), SourceError>,
) -> Result<(), Fault> {
    let mut lease = source.lease_mut().map_err(refused)?;
    let mut bytes = lease.bytes_mut();
    let found = bytes.shape();
    if found != shape {
        fault!(
            "a lease for writing has {}, one for reading {}",
            text(found),
            text(shape)
        );
    }
    access(&mut bytes).map_err(refused)
}

/// Compares the bytes from `start` on with the expected ones. `when` begins the text of
/// a fault.
fn compare(when: &str, expected: &[u8], start: usize, found: &[u8]) -> Result<(), Fault> {
    match expected.iter().zip(found).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => fault!(
            "{when}: byte {} is {}, not {}; {} bytes from {start} on were read",
            start + at,
            found[at],
            expected[at],
            found.len(),
        ),
    }
}
