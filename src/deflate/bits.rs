//! A writer of bits. Each byte is filled from its least significant bit on
//! (RFC 1951, 3.1.1).

/// The number of output bytes that a kernel asks for at a time. They have room
/// for the codes of 64 literals, or for 16 calls of [`State::put_in_array`].
pub(crate) const ROOM: usize = 136;

/// A writer of bits into a slice. The caller makes sure that there is room:
/// each [`put`](BitWriter::put) stores eight bytes, and the next one
/// overwrites those that are not full.
pub(crate) struct BitWriter<'a> {
    out: &'a mut [u8],
    state: State,
}

/// The position of a writer. A state is small and `Copy`: a loop can hold it
/// in registers, and restoring an older state undoes the writes since then.
#[derive(Clone, Copy, Default)]
pub(crate) struct State {
    /// The index of the byte that is written next.
    pub(crate) at: usize,
    /// Bits that do not fill a byte yet. The first bit is the least
    /// significant.
    pub(crate) bits: u64,
    /// The number of bits in `bits`, less than 8.
    pub(crate) count: u32,
}

impl State {
    /// Appends the lowest `count` bits of `bits`, at most 56. The other bits
    /// must be zero.
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

    /// Appends bits as [`put`](State::put) does, but without a bounds check:
    /// eight bytes from an index below 128 on always lie within [`ROOM`] bytes.
    /// `at` is that index. If it starts at 0, it stays below 128 for 16 calls.
    #[inline(always)]
    pub(crate) fn put_in_array(&mut self, room: &mut [u8; ROOM], bits: u64, count: u32) {
        self.bits |= bits << (self.count & 63);
        self.count += count;
        let at = self.at & 127;
        room[at..at + 8].copy_from_slice(&self.bits.to_le_bytes());
        self.at += (self.count >> 3) as usize;
        self.bits >>= self.count & !7;
        self.count &= 7;
    }

    /// Returns the number of bits written since an earlier state.
    pub(crate) fn bits_since(self, before: State) -> u64 {
        let bits = 8 * (self.at - before.at) as u64 + u64::from(self.count);
        bits - u64::from(before.count)
    }

    /// Moves the state behind words that a kernel stored by itself. `word` is
    /// the last of these words, and `place` is the index of its first byte.
    /// `end` is the index of the bit that is written next. Both indices count
    /// from the byte `at`.
    #[allow(dead_code, reason = "only some processors have kernels that use it")]
    #[inline(always)]
    pub(crate) fn resume_after(&mut self, word: u64, place: usize, end: u64) {
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

    /// Returns to an earlier state. The bits written since then will be
    /// overwritten.
    pub(crate) fn set_state(&mut self, state: State) {
        self.state = state;
    }

    /// Returns the slice and the state, for loops that keep the state in
    /// registers.
    pub(crate) fn parts(&mut self) -> (&mut [u8], &mut State) {
        (self.out, &mut self.state)
    }

    #[inline(always)]
    pub(crate) fn put(&mut self, bits: u64, count: u32) {
        self.state.put(self.out, bits, count);
    }

    /// Fills the current byte with zero bits.
    pub(crate) fn align(&mut self) {
        if self.state.count > 0 {
            self.put(0, 8 - self.state.count);
        }
    }

    /// Appends whole bytes. The writer must be on a byte boundary.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.state.count, 0);
        self.out[self.state.at..self.state.at + bytes.len()].copy_from_slice(bytes);
        self.state.at += bytes.len();
    }
}
