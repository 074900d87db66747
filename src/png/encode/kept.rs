//! Compressed strips of earlier saves, kept to be written again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::geometry::Geometry;
use super::strip::StripSums;
use crate::alloc::{push, with_capacity};

/// The digest of everything that has an effect on the piece of a strip: the
/// samples of its rows and of the row above them, the filter on entry, and the
/// geometry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StripKey(u128);

/// Digests what [`StripKey`] names.
pub(super) struct StripHasher(museair::Hasher128);

impl StripKey {
    /// Begins a key with the geometry. The seeds are random numbers, so that
    /// nobody can make two strips of one key on purpose.
    pub(super) fn hasher(geometry: &Geometry, seeds: [u64; 2]) -> StripHasher {
        let mut hasher = StripHasher(museair::Hasher128::with_seed(seeds[0], seeds[1]));
        let Geometry {
            height: _, // the strip has its own number of rows
            row_size,
            pixel_size,
            rows,
            compression,
            rule,
            reuses: _, // always true here
        } = *geometry;
        (row_size, pixel_size, rows, compression, rule).hash(&mut hasher);
        hasher
    }
}

impl StripHasher {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    pub(super) fn finish(&self) -> StripKey {
        StripKey(self.0.finish128())
    }
}

impl Hasher for StripHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Never called: [`finish`](StripHasher::finish) returns all 128 bits.
    fn finish(&self) -> u64 {
        self.0.finish128_folded()
    }
}

/// The strips that an encoder keeps. All threads of a save look for strips here.
pub(super) struct KeptStrips {
    /// The number of saves for which a strip is kept that is not used. 0 if no
    /// strips are kept.
    pub(super) images: u32,
    /// The most bytes to keep.
    pub(super) limit: u64,
    seeds: [u64; 2],
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the save.
    save: u64,
    /// The strips with the same number in their images, for each number.
    places: Vec<Vec<KeptStrip>>,
    /// Bytes of the memory of `places`.
    bytes: u64,
}

/// A strip of an earlier save.
pub(super) struct KeptStrip {
    key: StripKey,
    pub(super) sums: StripSums,
    /// The zlib header, if the strip is the first, and the compressed piece.
    pub(super) piece: Vec<u8>,
    /// The number of the last save that used the strip.
    used: u64,
}

impl KeptStrip {
    /// Returns the bytes of the memory that the strip takes.
    fn size(&self) -> u64 {
        (self.piece.capacity() + size_of::<Self>()) as u64
    }
}

impl KeptStrips {
    pub(super) fn new() -> Self {
        let random = || RandomState::new().build_hasher().finish();
        KeptStrips {
            images: 0,
            limit: u64::MAX,
            seeds: [random(), random()],
            state: Mutex::default(),
        }
    }

    /// Returns the random numbers for the keys.
    pub(super) fn seeds(&self) -> [u64; 2] {
        self.seeds
    }

    /// Returns whether strips are kept at all.
    pub(super) fn is_used(&self) -> bool {
        self.images > 0
    }

    /// Begins a save.
    pub(super) fn begin(&mut self) {
        let limit = if self.is_used() { self.limit } else { 0 };
        let state = self.state();
        state.save += 1;
        if state.bytes > limit {
            // The options have changed.
            self.clear();
        }
    }

    /// Returns the sums of the strip with this number and key, if it is kept. The
    /// strip counts as used.
    pub(super) fn find(&self, index: u32, key: StripKey) -> Option<StripSums> {
        let mut state = self.lock();
        let save = state.save;
        let place = state.places.get_mut(index as usize)?;
        let strip = place.iter_mut().find(|strip| strip.key == key)?;
        strip.used = save;
        Some(strip.sums)
    }

    /// Removes and returns a strip.
    pub(super) fn take(&self, index: u32, key: StripKey) -> Option<KeptStrip> {
        let mut state = self.lock();
        let place = state.places.get_mut(index as usize)?;
        let at = place.iter().position(|strip| strip.key == key)?;
        let strip = place.swap_remove(at);
        state.bytes -= strip.size();
        Some(strip)
    }

    /// Keeps a strip that was taken.
    pub(super) fn put_back(&self, index: u32, strip: KeptStrip) {
        let mut state = self.lock();
        state.bytes += strip.size();
        // The place has the capacity that the strip had in it.
        state.places[index as usize].push(strip);
    }

    /// Keeps a strip, if its bytes are within the limit and there is memory for
    /// it. Drops strips of the same number that were not used for long.
    pub(super) fn keep(&self, index: u32, key: StripKey, sums: StripSums, piece: &[u8]) {
        let mut state = self.lock();
        let state = &mut *state;
        while state.places.len() <= index as usize {
            if push(&mut state.places, Vec::new()).is_err() {
                return;
            }
            state.bytes += size_of::<Vec<KeptStrip>>() as u64;
        }
        let place = &mut state.places[index as usize];
        let oldest = state.save.saturating_sub(self.images.into());
        let mut memory = Vec::new();
        if let Some(at) = place.iter().position(|strip| strip.used <= oldest) {
            let strip = place.swap_remove(at);
            state.bytes -= strip.size();
            memory = strip.piece;
        }
        memory.clear();
        // Reused memory is at most a quarter larger than the piece.
        if memory.capacity() < piece.len() || memory.capacity() / 5 * 4 > piece.len() {
            drop(memory);
            match with_capacity(piece.len()) {
                Ok(exact) => memory = exact,
                Err(_) => return,
            }
        }
        let mut strip = KeptStrip {
            key,
            sums,
            piece: memory,
            used: state.save,
        };
        if state.bytes + strip.size() > self.limit || place.try_reserve_exact(1).is_err() {
            return;
        }
        strip.piece.extend_from_slice(piece);
        state.bytes += strip.size();
        place.push(strip);
    }

    /// Ends a save that has succeeded: drops all strips that the last saves did
    /// not use.
    pub(super) fn finish(&mut self) {
        let images = self.images;
        let state = self.state();
        let oldest = state.save.saturating_sub(images.into());
        for place in &mut state.places {
            place.retain(|strip| {
                let stays = strip.used > oldest;
                if !stays {
                    state.bytes -= strip.size();
                }
                stays
            });
        }
        while state.places.pop_if(|place| place.is_empty()).is_some() {
            state.bytes -= size_of::<Vec<KeptStrip>>() as u64;
        }
    }

    /// Returns the bytes of memory that the strips take.
    pub(super) fn bytes(&mut self) -> u64 {
        self.state().bytes
    }

    /// Drops all strips.
    pub(super) fn clear(&mut self) {
        let state = self.state();
        state.places = Vec::new();
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
