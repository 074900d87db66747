//! Chunks on their way to the `png` crate: where each is, and the data of those
//! that say something about the image.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of the signature (PNG third edition, 5.2).
const SIGNATURE: usize = 8;

/// A chunk that need not be known to show the image (PNG third edition, 5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawChunk {
    pub(super) name: [u8; 4],
    pub(super) data: Vec<u8>,
    /// Whether it came after the image data.
    pub(super) after: bool,
    /// The byte of the file that it begins at.
    pub(super) offset: u64,
}

/// What has come by so far.
pub(super) struct Scan {
    stage: Stage,
    /// Bytes still to come of the stage.
    missing: u64,
    /// The length and the name of the chunk, as far as known.
    header: Vec<u8>,
    /// The byte of the file that the next one is.
    position: u64,
    /// That at which the chunk began.
    start: u64,
    chunks: Vec<RawChunk>,
    /// Whether the image data has been.
    after: bool,
    /// Bytes of chunks that may still be kept.
    room: u64,
    /// An error of the caller's reader, or of keeping chunks.
    failure: Option<Failure>,
}

pub(super) enum Failure {
    Read(io::Error),
    /// So many bytes of chunks are more than what may be kept.
    TooLong(u64),
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Signature,
    Header,
    Data { kept: bool },
    Checksum,
}

/// A [`Scan`] that the reader and its owner look at.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Scan>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Scan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scan {
    /// The name of the chunk that is being read and the byte that it begins at.
    pub(super) fn place(&self) -> (Option<[u8; 4]>, u64) {
        (
            self.header.get(4..8).and_then(|name| name.try_into().ok()),
            self.start,
        )
    }

    pub(super) fn chunks(&self) -> &[RawChunk] {
        &self.chunks
    }

    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = self.missing.min(bytes.len() as u64) as usize;
            let (now, rest) = bytes.split_at(count);
            match self.stage {
                Stage::Header => self.header.extend_from_slice(now),
                Stage::Data { kept: true } => {
                    if let Some(chunk) = self.chunks.last_mut() {
                        chunk.data.extend_from_slice(now);
                    }
                }
                Stage::Signature | Stage::Data { kept: false } | Stage::Checksum => {}
            }
            self.position += count as u64;
            self.missing -= count as u64;
            bytes = rest;
            while self.missing == 0 {
                self.next_stage();
            }
        }
    }

    fn next_stage(&mut self) {
        (self.stage, self.missing) = match self.stage {
            Stage::Signature | Stage::Checksum => {
                self.header.clear();
                self.start = self.position;
                (Stage::Header, 8)
            }
            Stage::Header => self.begin(),
            Stage::Data { .. } => (Stage::Checksum, 4),
        };
    }

    fn begin(&mut self) -> (Stage, u64) {
        let (mut length, mut name) = ([0; 4], [0; 4]);
        length.copy_from_slice(&self.header[..4]);
        name.copy_from_slice(&self.header[4..8]);
        let length = u64::from(u32::from_be_bytes(length));
        self.after |= name == *b"IDAT";
        // A lower-case first letter: ancillary. Those of animations are read
        // by the `png` crate.
        let ancillary = name[0] & 0x20 != 0;
        let kept =
            ancillary && !matches!(&name, b"acTL" | b"fcTL" | b"fdAT") && self.failure.is_none();
        if kept {
            // So that many empty ones can't take any memory either.
            let cost = length + std::mem::size_of::<RawChunk>() as u64;
            if cost > self.room {
                self.failure = Some(Failure::TooLong(length));
                return (Stage::Data { kept: false }, length);
            }
            self.room -= cost;
            self.chunks.push(RawChunk {
                name,
                data: Vec::new(),
                after: self.after,
                offset: self.start,
            });
        }
        (Stage::Data { kept }, length)
    }
}

/// A reader that a [`Scan`] looks over the shoulder of. It never reads further
/// than it is asked to.
pub(super) struct Tap<R> {
    inner: R,
    scan: Shared,
}

impl<R: BufRead> Tap<R> {
    /// `room` is how many bytes of chunks may be kept.
    pub(super) fn new(inner: R, room: u64) -> (Self, Shared) {
        let scan = Shared(Arc::new(Mutex::new(Scan {
            stage: Stage::Signature,
            missing: SIGNATURE as u64,
            header: Vec::new(),
            position: 0,
            start: 0,
            chunks: Vec::new(),
            after: false,
            room,
            failure: None,
        })));
        let shared = scan.clone();
        (Tap { inner, scan }, shared)
    }
}

impl<R: BufRead> BufRead for Tap<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if matches!(self.scan.lock().failure, Some(Failure::TooLong(_))) {
            return Err(io::Error::other("chunks are too long"));
        }
        loop {
            match self.inner.fill_buf() {
                Ok(_) => {
                    // Whoever asked has gone on all the same.
                    self.scan.lock().failure = None;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let copy = io::Error::from(error.kind());
                    self.scan.lock().failure = Some(Failure::Read(error));
                    return Err(copy);
                }
            }
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Ok(bytes) = self.inner.fill_buf() {
            let bytes = &bytes[..count.min(bytes.len())];
            self.scan.lock().pass(bytes);
        }
        self.inner.consume(count);
    }
}

impl<R: BufRead> Read for Tap<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(to.len());
        to[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// The `png` crate asks for it and never does it.
impl<R> Seek for Tap<R> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
