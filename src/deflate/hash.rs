//! The hash of a place, by which searches find matches, and the number of bytes that are
//! hashed.

/// The fewest and the most bytes that are hashed.
const FEWEST: u32 = 4;
const MOST: u32 = 8;

/// The number of hashed bytes may change once in this many data bytes.
const INTERVAL: usize = 8 << 10;

/// The length changes only after more found matches than this: fewer tell too little
/// about the data.
const ENOUGH: u32 = 32;

/// The number of bytes that are hashed. Only matches of at least as many bytes are found.
///
/// Where literals have short codes, a short match costs more than the literals that it
/// replaces. A search for it takes time, and finds it instead of a longer match further
/// back. So the number grows where many of the found matches are not worth their codes,
/// and falls again where nearly all are.
#[derive(Clone, Copy)]
pub(super) struct HashLength {
    bytes: u32,
    /// The matches that were found since the last change.
    found: u32,
    /// Those of them that were not worth their codes.
    rejected: u32,
    /// The place of the next change.
    next: usize,
}

impl Default for HashLength {
    fn default() -> Self {
        HashLength {
            bytes: FEWEST,
            found: 0,
            rejected: 0,
            next: INTERVAL,
        }
    }
}

impl HashLength {
    /// Returns the number of bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// Returns a length of one byte less, if it is not the least.
    pub(super) fn shorter(self) -> HashLength {
        HashLength {
            bytes: (self.bytes - 1).max(FEWEST),
            ..self
        }
    }

    /// Counts a match that was found.
    #[inline(always)]
    pub(super) fn count(&mut self, is_worth: bool) {
        self.found += 1;
        self.rejected += u32::from(!is_worth);
    }

    /// Changes the length if the search has reached the place of the next change.
    #[inline(always)]
    pub(super) fn follow(&mut self, at: usize) {
        if at >= self.next {
            self.change(at);
        }
    }

    #[cold]
    fn change(&mut self, at: usize) {
        if self.found > ENOUGH {
            if self.rejected * 8 > self.found * 5 {
                self.bytes = (self.bytes + 1).min(MOST);
            } else if self.rejected * 8 < self.found * 2 {
                self.bytes = (self.bytes - 1).max(FEWEST);
            }
        }
        *self = HashLength {
            bytes: self.bytes,
            next: at + INTERVAL,
            ..HashLength::default()
        };
    }

    /// Returns the hash of the bytes from `at` on. Its highest bits are the best.
    #[inline(always)]
    pub(super) fn hash(&self, data: &[u8], at: usize) -> u64 {
        // 2^64 over the golden ratio.
        (eight(data, at) << (64 - 8 * self.bytes)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Returns the eight bytes from `at` on as a little-endian number.
#[inline(always)]
pub(super) fn eight(data: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(data[at..].first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash is that of the number of bytes, and of no byte behind them.
    #[test]
    fn hashed_bytes() {
        let data: Vec<u8> = (1..=8).collect();
        for bytes in FEWEST..=MOST {
            let length = HashLength {
                bytes,
                ..HashLength::default()
            };
            let hash = length.hash(&data, 0);
            for changed in 0..8 {
                let mut other = data.clone();
                other[changed] ^= 0x40;
                let is_hashed = changed < length.bytes();
                assert_eq!(
                    length.hash(&other, 0) != hash,
                    is_hashed,
                    "{changed} of {bytes}"
                );
            }
        }
    }

    #[test]
    fn length_follows_the_data() {
        let mut length = HashLength::default();
        let mut at = 0;
        let mut after = |found: u32, rejected: u32| {
            for i in 0..found {
                length.count(i >= rejected);
            }
            at += INTERVAL - 1;
            length.follow(at);
            at += 1;
            length.follow(at);
            length.bytes()
        };
        assert_eq!(after(1000, 900), 5);
        assert_eq!(after(1000, 626), 6);
        assert_eq!(after(1000, 625), 6);
        assert_eq!(after(1000, 250), 6);
        assert_eq!(after(1000, 249), 5);
        assert_eq!(after(ENOUGH, 0), 5);
        assert_eq!(after(ENOUGH + 1, 0), 4);
        assert_eq!(after(1000, 0), 4);
        for bytes in [5, 6, 7, 8, 8] {
            assert_eq!(after(100, 100), bytes);
        }
    }
}
