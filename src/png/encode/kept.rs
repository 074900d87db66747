//! Compressed strips of earlier saves, which later saves can write again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::key::StripKey;
use super::strip::StripSums;
use crate::alloc::{reserve, with_capacity};

/// The strips that an encoder keeps. All threads of a save look for strips here.
pub(super) struct KeptStrips {
    /// The number of saves after which an unused strip is dropped. 0 if no strips
    /// are kept.
    pub(super) images: u32,
    /// The most bytes to keep.
    pub(super) limit: u64,
    /// The random numbers for the keys. 0 until they are made.
    seeds: [u64; 2],
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the current save, counted from 1. Failed saves count.
    save: u64,
    /// One slot for each number that a strip has in its image.
    slots: Vec<Slot>,
    /// Bytes of memory of the slots and their strips, by capacity.
    bytes: u64,
}

/// The kept strips that have the same number in their images.
#[derive(Default)]
struct Slot {
    strips: Vec<KeptStrip>,
    /// The number of saves in a row for which the slot had no strip.
    misses: u32,
}

/// A strip of an earlier save.
pub(super) struct KeptStrip {
    key: StripKey,
    pub(super) sums: StripSums,
    /// The zlib header, if the strip is the first, and the compressed piece. Empty
    /// if only the key is kept.
    pub(super) piece: Vec<u8>,
    /// The number of the last save that used the strip.
    used: u64,
}

impl KeptStrips {
    pub(super) fn new() -> Self {
        KeptStrips {
            images: 0,
            limit: u64::MAX,
            seeds: [0; 2],
            state: Mutex::default(),
        }
    }

    /// Makes the random numbers for the keys, unless they exist. Encoders that need
    /// no keys do not ask the system for random numbers.
    pub(super) fn make_seeds(&mut self) {
        if self.seeds == [0; 2] {
            let random = || RandomState::new().build_hasher().finish();
            self.seeds = [random(), random()];
        }
    }

    /// Returns the random numbers for the keys.
    pub(super) fn seeds(&self) -> [u64; 2] {
        self.seeds
    }

    /// Returns whether strips are kept.
    pub(super) fn is_enabled(&self) -> bool {
        self.images > 0
    }

    /// Begins a save. Drops all strips if they are beyond the limit.
    pub(super) fn begin(&mut self) {
        let limit = if self.is_enabled() { self.limit } else { 0 };
        let state = self.state();
        state.save += 1;
        if state.bytes > limit {
            // The limit was lowered, or the option was turned off.
            self.clear();
        }
    }

    /// Returns the checksums of the strip with this number and key, if its piece
    /// is kept. Marks the strip as used by this save, even if only its key is kept.
    pub(super) fn find(&self, index: u32, key: StripKey) -> Option<StripSums> {
        let mut state = self.lock();
        let save = state.save;
        let slot = state.slots.get_mut(index as usize)?;
        let strip = slot.strips.iter_mut().find(|strip| strip.key == key)?;
        strip.used = save;
        slot.misses = 0;
        (!strip.piece.is_empty()).then_some(strip.sums)
    }

    /// Removes and returns a strip, if its piece is kept.
    pub(super) fn take(&self, index: u32, key: StripKey) -> Option<KeptStrip> {
        let has_piece = |strip: &KeptStrip| strip.key == key && !strip.piece.is_empty();
        self.lock().take(index, has_piece)
    }

    /// Returns a strip to its slot after [`take`](KeptStrips::take).
    pub(super) fn put_back(&self, index: u32, strip: KeptStrip) {
        self.lock().put(index, strip, u64::MAX);
    }

    /// Keeps a new strip, if its bytes are within the limit and there is memory for
    /// it. Drops one strip of the same slot that the last saves have not used, and
    /// reuses its memory.
    ///
    /// Keeps only the key if the slot had no strip for the last `2 * images` saves:
    /// in a video every strip is new, and a copy of its piece would never be used.
    /// If the next save has the same strip, its piece is kept then.
    pub(super) fn keep(&self, index: u32, key: StripKey, sums: StripSums, piece: &[u8]) {
        let mut state = self.lock();
        let Some(slot) = state.slot(index, self.limit) else {
            return;
        };
        slot.misses = slot.misses.saturating_add(1);
        let piece = if slot.misses > self.images.saturating_mul(2) {
            &[]
        } else {
            piece
        };
        let oldest = state.save.saturating_sub(self.images.into());
        // A slot never has two strips with the same key.
        let old = match state.take(index, |strip| strip.key == key) {
            None => state.take(index, |strip| strip.used <= oldest),
            same => same,
        };
        let mut memory = old.map_or_else(Vec::new, |old| old.piece);
        memory.clear();
        // Reused memory is at most a quarter larger than the piece.
        if memory.capacity() < piece.len() || memory.capacity() / 5 * 4 > piece.len() {
            drop(memory);
            match with_capacity(piece.len()) {
                Ok(exact) => memory = exact,
                Err(_) => return,
            }
        }
        let strip = KeptStrip {
            key,
            sums,
            piece: memory,
            used: state.save,
        };
        if let Some(strip) = state.put(index, strip, self.limit) {
            strip.piece.extend_from_slice(piece);
        }
    }

    /// Ends a save that has succeeded: drops all strips that the last saves did
    /// not use.
    pub(super) fn finish(&mut self) {
        let images = self.images;
        let state = self.state();
        let oldest = state.save.saturating_sub(images.into());
        for slot in &mut state.slots {
            slot.strips.retain(|strip| {
                let stays = strip.used > oldest;
                if !stays {
                    state.bytes -= strip.piece.capacity() as u64;
                }
                stays
            });
            if slot.strips.is_empty() {
                state.bytes -= (slot.strips.capacity() * size_of::<KeptStrip>()) as u64;
                slot.strips = Vec::new();
            }
        }
        let is_empty = |slot: &mut Slot| slot.strips.is_empty();
        while state.slots.pop_if(is_empty).is_some() {}
        if state.slots.is_empty() {
            self.clear();
        }
    }

    /// Returns the bytes of memory that the strips take.
    pub(super) fn bytes(&mut self) -> u64 {
        self.state().bytes
    }

    /// Drops all strips.
    pub(super) fn clear(&mut self) {
        let state = self.state();
        state.slots = Vec::new();
        state.bytes = 0;
    }

    /// Locks the state. A poisoned lock is ignored: no code that could panic runs
    /// under it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&mut self) -> &mut State {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the slot of this number, which is created if necessary. Returns
    /// `None` if there is no memory for it within the limit.
    fn slot(&mut self, index: u32, limit: u64) -> Option<&mut Slot> {
        let index = index as usize;
        while self.slots.len() <= index {
            let (len, capacity) = (self.slots.len(), self.slots.capacity());
            if len == capacity {
                let growth = capacity.max(1);
                let bytes = self.bytes + (growth * size_of::<Slot>()) as u64;
                if bytes > limit {
                    return None;
                }
                reserve(&mut self.slots, len + growth).ok()?;
                self.bytes = bytes;
            }
            self.slots.push(Slot::default());
        }
        self.slots.get_mut(index)
    }

    /// Removes and returns the first strip of a slot that `which` accepts.
    fn take(&mut self, index: u32, which: impl Fn(&KeptStrip) -> bool) -> Option<KeptStrip> {
        let strips = &mut self.slots.get_mut(index as usize)?.strips;
        let at = strips.iter().position(which)?;
        let strip = strips.swap_remove(at);
        self.bytes -= strip.piece.capacity() as u64;
        Some(strip)
    }

    /// Adds a strip to a slot, if there is memory for it within the limit. Returns
    /// the added strip.
    fn put(&mut self, index: u32, strip: KeptStrip, limit: u64) -> Option<&mut KeptStrip> {
        let strips = &mut self.slots.get_mut(index as usize)?.strips;
        let mut bytes = self.bytes + strip.piece.capacity() as u64;
        if strips.len() == strips.capacity() {
            bytes += size_of::<KeptStrip>() as u64;
        }
        if bytes > limit {
            return None;
        }
        reserve(strips, strips.len() + 1).ok()?;
        self.bytes = bytes;
        strips.push(strip);
        strips.last_mut()
    }
}
