//! The protocol of `SeqLock`, with the atomics of `loom`.
#![cfg(test)]

use std::collections::BTreeSet;
use std::sync::Mutex;

use loom::sync::Arc;
use loom::sync::atomic::{self, AtomicU32, Ordering::Relaxed};
use loom::thread;

#[path = "../../../src/source/generation.rs"]
mod generation;

use generation::{Generation, end_reading};

/// A frame of two pixels, which have the same color at rest.
struct Frame {
    generation: Generation,
    pixels: [AtomicU32; 2],
}

impl Frame {
    fn edit(&self, color: u32) {
        self.generation.begin_edit();
        for pixel in &self.pixels {
            pixel.store(color, Relaxed);
        }
        self.generation.end_edit();
    }

    /// Reads as a save does. Returns the number and the pixels, if they are whole.
    fn read(&self) -> Option<(usize, [u32; 2])> {
        let before = self.generation.get();
        let pixels = [0, 1].map(|i| self.pixels[i].load(Relaxed));
        end_reading();
        let after = self.generation.get();
        let is_whole = before == after && before.is_multiple_of(2);
        is_whole.then_some((before, pixels))
    }
}

/// Runs a writer and a reader in every way that the memory model permits. Returns
/// all frames that were read.
fn frames_during(
    write: impl Fn(&Frame) + Copy + Send + Sync + 'static,
) -> BTreeSet<Option<(usize, [u32; 2])>> {
    let frames = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let seen = frames.clone();
    loom::model(move || {
        let frame = Arc::new(Frame {
            generation: Generation::new(),
            pixels: [AtomicU32::new(0), AtomicU32::new(0)],
        });
        // Both in threads of their own: `loom` tries fewer orders for the first.
        let writer = thread::spawn({
            let frame = frame.clone();
            move || write(&frame)
        });
        let reader = thread::spawn({
            let frame = frame.clone();
            move || frame.read()
        });
        let read = reader.join().unwrap();
        seen.lock().unwrap().insert(read);
        writer.join().unwrap();
    });
    let frames = frames.lock().unwrap();
    frames.clone()
}

/// A frame that is called whole has the pixels of its number. Every one of them is
/// read in some order, and so are torn ones.
#[test]
fn whole_frames_are_whole() {
    let frames = frames_during(|frame| {
        frame.edit(1);
        frame.edit(2);
    });
    let whole = [(0, [0, 0]), (2, [1, 1]), (4, [2, 2])];
    let expected = [None].into_iter().chain(whole.map(Some));
    assert_eq!(frames, expected.collect());
}

/// An edit that panicked leaves an odd number, and the next edit ends both.
#[test]
fn an_edit_that_stays_open() {
    let frames = frames_during(|frame| {
        frame.generation.begin_edit();
        frame.pixels[0].store(9, Relaxed);
        frame.edit(1);
    });
    let whole = [(0, [0, 0]), (2, [1, 1])];
    let expected = [None].into_iter().chain(whole.map(Some));
    assert_eq!(frames, expected.collect());
}
