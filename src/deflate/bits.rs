//! Bits into bytes, the least significant first (RFC 1951, 3.1.1).

/// Writes bits into a slice. The caller sees to it that there is room: each
/// [`put`](BitWriter::put) stores eight bytes and keeps those that are whole.
pub(crate) struct BitWriter<'a> {
    out: &'a mut [u8],
    state: State,
}

/// Where a writer is: small and `Copy`, so that it can be held in registers
/// while symbols are written, and put back to undo them.
#[derive(Clone, Copy, Default)]
pub(crate) struct State {
    /// The byte that is written next.
    pub(crate) at: usize,
    /// Bits that don't fill a byte yet, the first the least significant.
    pub(crate) bits: u64,
    /// How many, less than 8.
    pub(crate) count: u32,
}

impl State {
    /// Appends the lowest `count` of `bits`, at most 56; the others are zero.
    #[inline(always)]
    pub(crate) fn put(&mut self, out: &mut [u8], bits: u64, count: u32) {
        self.bits |= bits << (self.count & 63);
        self.count += count;
        let eight: &mut [u8] = &mut out[self.at..self.at + 8];
        eight.copy_from_slice(&self.bits.to_le_bytes());
        self.at += (self.count >> 3) as usize;
        self.bits >>= self.count & !7;
        self.count &= 7;
    }

    /// The same into room for seventeen times eight bytes, of which the
    /// compiler then knows that it is enough for sixteen.
    #[inline(always)]
    pub(crate) fn put_local(&mut self, room: &mut [u8; 136], bits: u64, count: u32) {
        self.bits |= bits << (self.count & 63);
        self.count += count;
        let at = self.at & 127;
        room[at..at + 8].copy_from_slice(&self.bits.to_le_bytes());
        self.at += (self.count >> 3) as usize;
        self.bits >>= self.count & !7;
        self.count &= 7;
    }

    /// After words that were stored elsewhere: the last of them at byte
    /// `place` from here, and the next bit to be written is number `end`.
    #[allow(dead_code)] // not every processor has a use for it
    #[inline(always)]
    pub(crate) fn end_in(&mut self, word: u64, place: usize, end: u64) {
        let done = (end & !7).wrapping_sub(8 * place as u64);
        self.bits = word >> (done & 63);
        self.count = (end & 7) as u32;
        self.at += (end >> 3) as usize;
    }
}

impl<'a> BitWriter<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        BitWriter {
            out,
            state: State::default(),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Back to a state of before. What was written since is overwritten.
    pub(crate) fn set_state(&mut self, state: State) {
        self.state = state;
    }

    /// The parts, for loops that keep them in registers.
    pub(crate) fn parts(&mut self) -> (&mut [u8], &mut State) {
        (self.out, &mut self.state)
    }

    #[inline(always)]
    pub(crate) fn put(&mut self, bits: u64, count: u32) {
        self.state.put(self.out, bits, count);
    }

    /// Fills up the byte with zeros.
    pub(crate) fn align(&mut self) {
        if self.state.count > 0 {
            self.put(0, 8 - self.state.count);
        }
    }

    /// Whole bytes, on a byte boundary.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.state.count, 0);
        self.out[self.state.at..self.state.at + bytes.len()].copy_from_slice(bytes);
        self.state.at += bytes.len();
    }
}
