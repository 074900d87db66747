//! The order of the channels of a pixel.

use png::ColorType;

use super::Channel;

/// The channels of a pixel, in the order of the format's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Order {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    Bgr,
    Bgra,
    Argb,
    Abgr,
    Rgbx,
    Bgrx,
    Xrgb,
    Xbgr,
    /// The index of a palette entry.
    Index,
    /// Cyan, magenta, yellow, black; the largest sample is full ink.
    Cmyk,
    /// Cyan, magenta, yellow, black; 0 is full ink.
    CmykInverted,
}

pub(super) const Y: Option<Channel> = Some(Channel::Gray);
pub(super) const R: Option<Channel> = Some(Channel::Red);
pub(super) const G: Option<Channel> = Some(Channel::Green);
pub(super) const B: Option<Channel> = Some(Channel::Blue);
pub(super) const A: Option<Channel> = Some(Channel::Alpha);
pub(super) const X: Option<Channel> = None;

impl Order {
    /// Returns the channels in this order. `None` is padding, or a channel that
    /// PNG does not have.
    pub(super) fn channels(self) -> &'static [Option<Channel>] {
        match self {
            Order::Gray => &[Y],
            Order::GrayAlpha => &[Y, A],
            Order::Rgb => &[R, G, B],
            Order::Rgba => &[R, G, B, A],
            Order::Bgr => &[B, G, R],
            Order::Bgra => &[B, G, R, A],
            Order::Argb => &[A, R, G, B],
            Order::Abgr => &[A, B, G, R],
            Order::Rgbx => &[R, G, B, X],
            Order::Bgrx => &[B, G, R, X],
            Order::Xrgb => &[X, R, G, B],
            Order::Xbgr => &[X, B, G, R],
            Order::Index => &[X],
            Order::Cmyk | Order::CmykInverted => &[X, X, X, X],
        }
    }

    /// Returns the same channels with the last one first.
    pub(super) fn reversed(self) -> Order {
        match self {
            Order::Rgb => Order::Bgr,
            Order::Bgr => Order::Rgb,
            Order::Rgba => Order::Abgr,
            Order::Abgr => Order::Rgba,
            Order::Bgra => Order::Argb,
            Order::Argb => Order::Bgra,
            Order::Rgbx => Order::Xbgr,
            Order::Xbgr => Order::Rgbx,
            Order::Bgrx => Order::Xrgb,
            Order::Xrgb => Order::Bgrx,
            // One channel, or not the fields of a word.
            Order::Gray | Order::GrayAlpha | Order::Index | Order::Cmyk | Order::CmykInverted => {
                self
            }
        }
    }

    /// Returns the color type of a PNG with these channels.
    pub(super) const fn color_type(self) -> ColorType {
        match self {
            Order::Gray => ColorType::Grayscale,
            Order::GrayAlpha => ColorType::GrayscaleAlpha,
            Order::Rgb
            | Order::Bgr
            | Order::Rgbx
            | Order::Bgrx
            | Order::Xrgb
            | Order::Xbgr
            | Order::Cmyk
            | Order::CmykInverted => ColorType::Rgb,
            Order::Rgba | Order::Bgra | Order::Argb | Order::Abgr => ColorType::Rgba,
            Order::Index => ColorType::Indexed,
        }
    }

    /// Returns the channels of these pixels in PNG, in the order of PNG (PNG
    /// third edition, 6.1). `None` is the index of a palette entry.
    pub(super) fn png_channels(self) -> &'static [Option<Channel>] {
        match self.color_type() {
            ColorType::Grayscale => &[Y],
            ColorType::GrayscaleAlpha => &[Y, A],
            ColorType::Rgb => &[R, G, B],
            ColorType::Rgba => &[R, G, B, A],
            ColorType::Indexed => &[X],
        }
    }

    /// Returns whether blue comes before red.
    pub(super) fn is_blue_first(self) -> bool {
        let position = |channel| self.channels().iter().position(|&c| c == channel);
        position(B) < position(R)
    }
}

/// Matches an order against one table, which serves both directions. A row has
/// the samples in memory, the samples in PNG, and the name of the padding if
/// there is any. The macro `$arm` expands a row to code. `$other` is the code
/// for the orders without a row: their samples are in the order of PNG, or are
/// not samples of PNG at all.
macro_rules! reorder {
    ($order:expr, $arm:ident, $other:expr) => {
        match $order {
            Order::Bgr => $arm!([b, g, r] [r, g, b]),
            Order::Bgra => $arm!([b, g, r, a] [r, g, b, a]),
            Order::Argb => $arm!([a, r, g, b] [r, g, b, a]),
            Order::Abgr => $arm!([a, b, g, r] [r, g, b, a]),
            Order::Rgbx => $arm!([r, g, b, x] [r, g, b]; x),
            Order::Bgrx => $arm!([b, g, r, x] [r, g, b]; x),
            Order::Xrgb => $arm!([x, r, g, b] [r, g, b]; x),
            Order::Xbgr => $arm!([x, b, g, r] [r, g, b]; x),
            Order::Gray
            | Order::GrayAlpha
            | Order::Rgb
            | Order::Rgba
            | Order::Index
            | Order::Cmyk
            | Order::CmykInverted => $other,
        }
    };
}
pub(super) use reorder;
