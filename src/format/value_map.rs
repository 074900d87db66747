//! The options that map values in memory to samples of PNG: the range from black
//! to white, the significant bits, the bit depth, inversion, and linear light.

use std::fmt;

use super::order::Order;
use super::{PixelFormat, Storage, binary16};
use crate::ErrorKind;

/// The options that map the values in memory to the samples of PNG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ValueMap {
    /// The number of significant bits, the least significant ones of the type.
    pub(super) bits: Option<u8>,
    /// The bits of two `f64`: the values of black and of white.
    pub(super) range: Option<[u64; 2]>,
    /// The bit depth of the saved file.
    pub(super) depth: Option<u8>,
    /// Whether colors are linear light.
    pub(super) linear: bool,
    /// Whether black and white are exchanged.
    pub(super) inverted: bool,
}

impl ValueMap {
    /// The mapping without options.
    pub(super) const DEFAULT: ValueMap = ValueMap {
        bits: None,
        range: None,
        depth: None,
        linear: false,
        inverted: false,
    };

    /// Returns whether samples need arithmetic. An inversion alone flips bits.
    pub(super) fn is_arithmetic(self) -> bool {
        ValueMap {
            inverted: false,
            ..self
        } != ValueMap::DEFAULT
    }

    /// Sets the values of black and of white.
    pub(super) const fn set_range(&mut self, black: f64, white: f64) {
        // Adding 0.0 turns -0.0 into 0.0, so that equal ranges have equal bits.
        self.range = Some([(black + 0.0).to_bits(), (white + 0.0).to_bits()]);
    }

    /// Returns the values of black and of white, if they were set.
    pub(super) fn range(self) -> Option<[f64; 2]> {
        Some(self.range?.map(f64::from_bits))
    }

    /// Returns the options that apply to alpha.
    pub(super) fn for_alpha(self) -> ValueMap {
        ValueMap {
            range: None,
            linear: false,
            inverted: false,
            ..self
        }
    }

    /// Returns an error if `format` does not support one of the options, or not
    /// with this value.
    pub(super) fn check(self, format: PixelFormat) -> Result<(), ErrorKind> {
        let most_bits = match format.storage {
            Storage::I8 => 8,
            Storage::U16(_) | Storage::I16(_) => 16,
            Storage::U32(_) | Storage::I32(_) => 32,
            _ => 0,
        };
        let is_float = matches!(
            format.storage,
            Storage::F16(_) | Storage::F32(_) | Storage::F64(_)
        );
        let unsupported = |option| Err(ErrorKind::UnsupportedOption { option, format });
        if let Some([black, white]) = self.range() {
            if most_bits == 0 && !is_float {
                return unsupported("a range");
            }
            let scale = f64::from(u16::MAX) / (white - black);
            let finite = black.is_finite() && white.is_finite() && (white - black).is_finite();
            // A write through a view stores the ends, which must be finite and
            // distinct in the type of the samples as well.
            let stored = [black, white].map(|end| match format.storage {
                Storage::F16(_) => binary16::decode(binary16::encode(end)),
                Storage::F32(_) => f64::from(end as f32),
                _ => end,
            });
            let finite = finite && stored.iter().all(|end| end.is_finite());
            let distinct = (stored[1] - stored[0]).abs() > 0.0;
            if !finite || !scale.is_finite() || !distinct {
                return Err(ErrorKind::InvalidRange {
                    black,
                    white,
                    format,
                });
            }
        }
        match self.bits {
            Some(_) if most_bits == 0 => return unsupported("significant bits"),
            Some(bits) if bits == 0 || bits > most_bits => {
                return Err(ErrorKind::InvalidBits {
                    bits,
                    most: most_bits,
                    format,
                });
            }
            _ => {}
        }
        match self.depth {
            Some(_) if format.bit_depths().is_empty() => return unsupported("a bit depth"),
            Some(depth) if !format.bit_depths().contains(&depth) => {
                return Err(ErrorKind::InvalidBitDepth { depth, format });
            }
            _ => {}
        }
        if self.linear && !is_float {
            return unsupported("linear light");
        }
        if self.inverted && format.order != Order::Gray {
            return unsupported("inversion");
        }
        Ok(())
    }
}

/// The options as they follow the name of a format.
impl fmt::Display for ValueMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inverted {
            write!(f, " inverted")?;
        }
        if let Some(bits) = self.bits {
            write!(f, " of {bits} significant bits")?;
        }
        if let Some([low, high]) = self.range() {
            // In decimal notation an `f64` may have hundreds of digits.
            let short = |end: f64| match end.abs() {
                0.0 | 1e-6..1e15 => format!("{end}"),
                _ => format!("{end:e}"),
            };
            write!(f, " from {} to {}", short(low), short(high))?;
        }
        if self.linear {
            write!(f, " linear")?;
        }
        if let Some(depth) = self.depth {
            write!(f, " saved with {depth} bits")?;
        }
        Ok(())
    }
}
