//! The kit for implementers: this crate's own sources pass, and each way of lying is
//! found.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32};
use std::sync::{Arc, Mutex, RwLock};

use pixview::source::conformance::{check, check_mut};
use pixview::source::{
    Lease, LeaseMut, LiveBytes, LiveBytesMut, Owner, SeqLock, SourceError, from_fn,
};
use pixview::{PixelSource, PixelSourceMut};

#[test]
fn sources_of_this_crate() {
    let bytes: Vec<u8> = (0..100).collect();
    let words: Vec<u32> = (0..25).map(|n| n * 0x0102_0304).collect();
    check(&bytes).unwrap();
    check(&&words[..]).unwrap();
    check(&std::borrow::Cow::Borrowed(&bytes[..])).unwrap();
    check(&from_fn(|| &bytes[..])).unwrap();
    check(&[0u8; 0]).unwrap();
    check(&Arc::new(vec![[1u8, 2, 3]; 33])).unwrap();

    check_mut(&mut bytes.clone()).unwrap();
    check_mut(&mut words.clone()).unwrap();
    check_mut(&mut [[0u16; 3]; 11]).unwrap();
    check_mut(&mut bytes.iter().map(|&b| Cell::new(b)).collect::<Vec<_>>()).unwrap();
    check_mut(&mut words.iter().map(|&w| Cell::new(w)).collect::<Vec<_>>()).unwrap();
    check_mut(&mut vec![Cell::new([1u8, 2, 3]); 33]).unwrap();
    check_mut(&mut bytes.iter().map(|&b| AtomicU8::new(b)).collect::<Vec<_>>()).unwrap();
    let halves = words.iter().map(|&w| AtomicU16::new(w as u16));
    check_mut(&mut halves.collect::<Arc<[_]>>()).unwrap();
    let atomics = || words.iter().map(|&w| AtomicU32::new(w)).collect::<Vec<_>>();
    check_mut(&mut atomics()).unwrap();
    check_mut(&mut SeqLock::new(atomics())).unwrap();
    check_mut(&mut Arc::new(SeqLock::new(atomics()))).unwrap();
    check_mut(&mut Rc::new(RefCell::new(bytes.clone()))).unwrap();
    check_mut(&mut Arc::new(Mutex::new(bytes.clone()))).unwrap();
    check_mut(&mut RwLock::new(words.clone())).unwrap();
    check_mut(&mut Mutex::new(Owner(Box::new(bytes.clone())))).unwrap();
    let mut boxed: Box<dyn PixelSourceMut> = Box::new(bytes.clone());
    check_mut(&mut boxed).unwrap();
    #[cfg(any(unix, windows))]
    {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &bytes).unwrap();
        check_mut(&mut pixview::source::SharedFile::new(file).unwrap()).unwrap();
    }
}

/// The ways in which a source can break its promises.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    Refuses,
    Grows,
    NoElements,
    HalfAnElement,
    LosesTheTail,
    ReadsBeyondTheEnd,
    CountsWithoutEdits,
    IsAlwaysEdited,
    LosesWrites,
    WritesTooMuch,
    WritesWholeBytes,
    WritesBeyondTheEnd,
    WritesBitsBeyondTheEnd,
    ShrinksForWriting,
}

/// 40 bytes in elements of 4.
struct Liar {
    lie: Lie,
    bytes: RefCell<Vec<u8>>,
    leases: Cell<usize>,
    numbers: Cell<u64>,
    writes: bool,
}

impl LiveBytes for &Liar {
    fn len(&self) -> usize {
        match self.lie {
            Lie::Grows => 40 + 4 * self.leases.get(),
            Lie::HalfAnElement => 38,
            Lie::ShrinksForWriting if self.writes => 36,
            _ => 40,
        }
    }

    fn element_size(&self) -> usize {
        if self.lie == Lie::NoElements { 0 } else { 4 }
    }

    fn generation(&self) -> Option<u64> {
        match self.lie {
            Lie::IsAlwaysEdited => Some(7),
            Lie::CountsWithoutEdits => {
                self.numbers.set(self.numbers.get() + 2);
                Some(self.numbers.get())
            }
            _ => Some(4),
        }
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        let bytes = self.bytes.borrow();
        let part = bytes.get(offset..).and_then(|rest| rest.get(..to.len()));
        match part {
            Some(part) => to.copy_from_slice(part),
            None if self.lie == Lie::ReadsBeyondTheEnd => {}
            None => return Err(SourceError::other("outside")),
        }
        if self.lie == Lie::LosesTheTail && !to.len().is_multiple_of(4) {
            let whole = to.len() / 4 * 4;
            to[whole..].fill(0);
        }
        Ok(())
    }
}

impl LiveBytesMut for &Liar {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        let mut bytes = self.bytes.borrow_mut();
        let len = bytes.len();
        let Some(to) = bytes
            .get_mut(offset..)
            .and_then(|rest| rest.get_mut(..from.len()))
        else {
            return match self.lie {
                Lie::WritesBeyondTheEnd => Ok(()),
                _ => Err(SourceError::other("outside")),
            };
        };
        if self.lie != Lie::LosesWrites {
            to.copy_from_slice(from);
        }
        if self.lie == Lie::WritesTooMuch && offset + from.len() < len {
            bytes[offset + from.len()] = 0;
        }
        Ok(())
    }

    fn update_bits(&mut self, offset: usize, bits: u8, mask: u8) -> Result<(), SourceError> {
        if self.lie == Lie::WritesBitsBeyondTheEnd && offset == 40 {
            return Ok(());
        }
        let mut byte = [0];
        self.copy_to(offset, &mut byte)?;
        let mask = if self.lie == Lie::WritesWholeBytes {
            0xff
        } else {
            mask
        };
        self.copy_from(offset, &[byte[0] & !mask | bits & mask])
    }
}

impl PixelSource for Liar {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        self.leases.set(self.leases.get() + 1);
        match self.lie {
            Lie::Refuses => Err(SourceError::other("not now")),
            _ => Ok(Lease::live(self)),
        }
    }
}

impl PixelSourceMut for Liar {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        self.writes = true;
        Ok(LeaseMut::live(&*self))
    }
}

#[test]
fn lies_are_found() {
    for (lie, expected) in [
        (
            Lie::Refuses,
            "refuses an access: it reports an error of its own: not now",
        ),
        (Lie::Grows, "two leases differ"),
        (Lie::NoElements, "no whole number of elements"),
        (Lie::HalfAnElement, "no whole number of elements"),
        (Lie::LosesTheTail, "bytes differ from an earlier read"),
        (Lie::ReadsBeyondTheEnd, "were read from 40 bytes"),
        (Lie::CountsWithoutEdits, "changed without an edit"),
        (Lie::IsAlwaysEdited, "is odd"),
        (Lie::LosesWrites, "after a write"),
        (Lie::WritesTooMuch, "after a write: "),
        (Lie::WritesWholeBytes, "after a write of bits"),
        (Lie::WritesBeyondTheEnd, "were written to 40 bytes"),
        (Lie::WritesBitsBeyondTheEnd, "bits of byte 40 were written"),
        (Lie::ShrinksForWriting, "one for reading"),
    ] {
        let mut liar = liar(lie);
        let fault = check_mut(&mut liar).unwrap_err().to_string();
        println!("{lie:?}: {fault}");
        assert!(fault.contains(expected), "{lie:?}: {fault}");
    }
    check_mut(&mut liar(Lie::None)).unwrap();
}

fn liar(lie: Lie) -> Liar {
    Liar {
        lie,
        bytes: RefCell::new((1..=40).collect()),
        leases: Cell::new(0),
        numbers: Cell::new(0),
        writes: false,
    }
}

/// A source that claims sizes, and either has all bytes that it is asked for or none.
#[derive(Debug)]
struct Claims {
    len: usize,
    element_size: usize,
    has_bytes: bool,
}

impl LiveBytes for &Claims {
    fn len(&self) -> usize {
        self.len
    }

    fn element_size(&self) -> usize {
        self.element_size
    }

    fn copy_to(&self, _: usize, _: &mut [u8]) -> Result<(), SourceError> {
        if self.has_bytes {
            return Ok(());
        }
        Err(SourceError::other("it has no bytes"))
    }
}

impl PixelSource for Claims {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(self))
    }
}

/// A size that no memory has is a fault, never a panic or the end of the process.
#[test]
fn sizes_that_no_memory_has() {
    let largest = isize::MAX as usize;
    for len in [0, 1, largest, largest + 1, usize::MAX] {
        for element_size in [0, 1, 2, 3, largest, usize::MAX / 2, usize::MAX] {
            for has_bytes in [false, true] {
                let claims = Claims {
                    len,
                    element_size,
                    has_bytes,
                };
                let result = check(&claims);
                if len > 0 || element_size == 0 || has_bytes {
                    println!("{claims:?}: {}", result.unwrap_err());
                }
            }
        }
    }
}
