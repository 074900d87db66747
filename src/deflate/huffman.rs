//! Huffman codes: code lengths from frequencies, and codes from code lengths
//! (RFC 1951, 3.2.2).

/// The most bits in a code of literals and lengths (RFC 1951, 3.2.7).
#[cfg(test)]
pub(super) const MAX_LENGTH: u8 = 15;

/// The number of symbols in the largest alphabet, which has literals and match
/// lengths.
const SYMBOLS: usize = 288;

/// A Huffman code, with its bits in the order of the bit stream: the first bit
/// is the least significant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// Computes code lengths of at most `longest` bits from the frequencies of the
/// symbols. The lengths are optimal unless the limit shortens a code. A symbol
/// with a frequency of 0 gets length 0. If only one symbol occurs, it gets
/// length 1.
///
/// The sum of the frequencies must fit 32 bits.
pub(super) fn lengths(frequencies: &[u32], longest: u8, lengths: &mut [u8]) {
    lengths.fill(0);
    // A leaf is the frequency of a symbol, above the symbol: numbers are sorted faster
    // than pairs.
    let mut leaves = [0u64; SYMBOLS];
    let mut count = 0;
    for (symbol, &frequency) in frequencies.iter().enumerate() {
        leaves[count] = u64::from(frequency) << 16 | symbol as u64;
        count += usize::from(frequency > 0);
    }
    let leaves = &mut leaves[..count];
    let symbol = |leaf: u64| usize::from(leaf as u16);
    match *leaves {
        [] => return,
        [leaf] => {
            lengths[symbol(leaf)] = 1;
            return;
        }
        _ => leaves.sort_unstable(),
    }

    // The tree is built with two queues. One has the leaves, sorted by weight.
    // The other has the inner nodes, which are sorted too, since each is at
    // least as heavy as the node made before it. The two lightest nodes of both
    // queues become the children of the next inner node. The greatest weight
    // marks the end of a queue: then the choice takes no branch, which the processor
    // could not predict.
    let mut leaf_weights = [u32::MAX; SYMBOLS + 1];
    let mut node_weights = [u32::MAX; SYMBOLS];
    let mut parent = [0u16; 2 * SYMBOLS];
    for (weight, &leaf) in leaf_weights.iter_mut().zip(&*leaves) {
        *weight = (leaf >> 16) as u32;
    }
    let (mut leaf, mut node) = (0, 0);
    let root = 2 * count - 2;
    for next in 0..count - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            let (leaf_weight, node_weight) = (leaf_weights[leaf], node_weights[node]);
            let take_leaf = leaf_weight <= node_weight;
            sum += leaf_weight.min(node_weight);
            let lightest = if take_leaf { leaf } else { count + node };
            parent[lightest] = (count + next) as u16;
            leaf += usize::from(take_leaf);
            node += usize::from(!take_leaf);
        }
        node_weights[next] = sum;
    }

    // The number of leaves at each depth. Leaves beyond the limit are counted
    // at the limit.
    let longest = usize::from(longest);
    let mut depth = [0u16; 2 * SYMBOLS];
    let mut at_depth = [0u32; 16];
    for i in (0..root).rev() {
        depth[i] = depth[usize::from(parent[i])] + 1;
        if i < count {
            at_depth[usize::from(depth[i]).min(longest)] += 1;
        }
    }
    // The limit may have shortened so many codes that they exceed Kraft's
    // inequality. `used` is Kraft's sum, in units of a code of the longest
    // length. Each step lowers it by 1: a leaf above the limit moves down by
    // one level, and a leaf at the limit becomes its sibling.
    let full = 1u32 << longest;
    let mut used: u32 = (1..=longest)
        .map(|length| at_depth[length] << (longest - length))
        .sum();
    while used > full {
        at_depth[longest] -= 1;
        let shorter = (1..longest).rev().find(|&length| at_depth[length] > 0);
        if let Some(length) = shorter {
            at_depth[length] -= 1;
            at_depth[length + 1] += 2;
        }
        used -= 1;
    }

    // The most frequent symbols get the shortest codes.
    let mut leaves = leaves.iter().rev();
    for (length, &count) in at_depth.iter().enumerate().take(longest + 1) {
        for &leaf in leaves.by_ref().take(count as usize) {
            lengths[symbol(leaf)] = length as u8;
        }
    }
}

/// Computes the canonical codes of these code lengths.
pub(super) fn codes(lengths: &[u8], codes: &mut [Code]) {
    let mut at_length = [0u16; 16];
    for &length in lengths {
        at_length[usize::from(length)] += 1;
    }
    at_length[0] = 0;
    let mut next = [0u16; 16];
    for length in 1..16 {
        next[length] = (next[length - 1] + at_length[length - 1]) << 1;
    }
    for (code, &length) in codes.iter_mut().zip(lengths) {
        *code = Code::default();
        if length > 0 {
            let next = &mut next[usize::from(length)];
            *code = Code {
                bits: next.reverse_bits() >> (16 - length),
                length,
            };
            *next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns Kraft's sum, in units of a code of the longest length. It is
    /// `1 << longest` for a complete code.
    fn kraft(lengths: &[u8], longest: u8) -> u64 {
        let used = lengths.iter().filter(|&&length| length > 0);
        used.map(|length| 1 << (longest - length)).sum()
    }

    fn lengths_of(frequencies: &[u32], longest: u8) -> Vec<u8> {
        let mut result = vec![99; frequencies.len()];
        lengths(frequencies, longest, &mut result);
        for (frequency, length) in frequencies.iter().zip(&result) {
            assert_eq!(*frequency > 0, *length > 0);
            assert!(*length <= longest);
        }
        result
    }

    #[test]
    fn few_symbols() {
        assert_eq!(lengths_of(&[], 15), []);
        assert_eq!(lengths_of(&[0, 0], 15), [0, 0]);
        assert_eq!(lengths_of(&[0, 7], 15), [0, 1]);
        assert_eq!(lengths_of(&[3, 7], 15), [1, 1]);
        assert_eq!(lengths_of(&[1, 1, 2, 4], 15), [3, 3, 2, 1]);
    }

    /// Frequencies that are Fibonacci numbers make the deepest trees.
    #[test]
    fn limits() {
        let mut fibonacci = vec![1u32, 1];
        while fibonacci.len() < 30 {
            fibonacci.push(fibonacci.iter().rev().take(2).sum());
        }
        for longest in [5, 7, 9, 14, MAX_LENGTH] {
            let lengths = lengths_of(&fibonacci, longest);
            assert_eq!(lengths.iter().max(), Some(&longest));
            assert_eq!(
                kraft(&lengths, longest),
                1 << longest,
                "the code is complete"
            );
            // A more frequent symbol never has a longer code.
            assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
        }
    }

    #[test]
    fn complete_and_optimal() {
        let mut seed = 1u32;
        for count in [2, 3, 19, 100, 257, 286] {
            for shift in [0, 8, 20, 26] {
                let frequencies: Vec<u32> = (0..count)
                    .map(|_| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (seed >> 6 >> shift) / 300 + 1
                    })
                    .collect();
                let lengths = lengths_of(&frequencies, 15);
                assert_eq!(kraft(&lengths, 15), 1 << 15);
                // The average length is within a bit of the entropy.
                let total: f64 = frequencies.iter().map(|&f| f64::from(f)).sum();
                let (mut bits, mut entropy) = (0.0, 0.0);
                for (&frequency, &length) in frequencies.iter().zip(&lengths) {
                    let share = f64::from(frequency) / total;
                    bits += share * f64::from(length);
                    entropy -= share * share.log2();
                }
                assert!(bits >= entropy - 1e-9 && bits < entropy + 1.0);
            }
        }
    }

    /// The example of RFC 1951, 3.2.2.
    #[test]
    fn codes_of_the_rfc() {
        let mut result = [Code::default(); 8];
        codes(&[3, 3, 3, 3, 3, 2, 4, 4], &mut result);
        let msb = |code: &Code| code.bits.reverse_bits() >> (16 - code.length);
        let codes: Vec<u16> = result.iter().map(msb).collect();
        assert_eq!(
            codes,
            [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111]
        );
    }
}
