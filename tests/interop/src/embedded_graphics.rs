use std::cell::Cell;
use std::sync::Mutex;

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_6X10;
use embedded_graphics::pixelcolor::raw::RawU16;
use embedded_graphics::pixelcolor::{BinaryColor, Gray8, Rgb565, Rgb888};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, PrimitiveStyle, Rectangle};
use embedded_graphics::text::Text;
use pixview::interop::embedded_graphics::Display;
use pixview::{ErrorKind, Image, Layout, Palette, PixelFormat, PixelSourceMut};

use crate::common::saved;

const WIDTH: u32 = 60;
const HEIGHT: u32 = 24;

/// Draws text and shapes, of which some lie outside.
fn draw<D: DrawTarget<Color = BinaryColor>>(to: &mut D) -> Result<(), D::Error> {
    let style = MonoTextStyle::new(&FONT_6X10, BinaryColor::On);
    Text::new("pixview", Point::new(3, 10), style).draw(to)?;
    Text::new("outside", Point::new(40, 26), style).draw(to)?;
    let filled = PrimitiveStyle::with_fill(BinaryColor::On);
    Circle::new(Point::new(-5, 12), 14)
        .into_styled(filled)
        .draw(to)?;
    Rectangle::new(Point::new(50, -4), Size::new(99, 9))
        .into_styled(filled)
        .draw(to)?;
    let line = PrimitiveStyle::with_stroke(BinaryColor::On, 1);
    Rectangle::new(Point::new(20, 13), Size::new(12, 9))
        .into_styled(line)
        .draw(to)
}

/// A display of `embedded-graphics` alone: what lies outside is left out.
struct Reference(Vec<bool>);

impl OriginDimensions for Reference {
    fn size(&self) -> Size {
        Size::new(WIDTH, HEIGHT)
    }
}

impl DrawTarget for Reference {
    type Color = BinaryColor;
    type Error = std::convert::Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Self::Error>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(at, color) in pixels {
            if self.bounding_box().contains(at) {
                self.0[at.y as usize * WIDTH as usize + at.x as usize] = color.is_on();
            }
        }
        Ok(())
    }
}

/// Returns the drawing, as gray of 8 bits.
fn expected() -> Vec<u8> {
    let mut reference = Reference(vec![false; (WIDTH * HEIGHT) as usize]);
    draw(&mut reference).unwrap();
    reference
        .0
        .iter()
        .map(|&on| if on { 255 } else { 0 })
        .collect()
}

fn assert_draws<S: PixelSourceMut>(image: &mut Image<S>) {
    Display::<BinaryColor>::new(image)
        .unwrap()
        .clear(BinaryColor::Off)
        .unwrap();
    draw(&mut Display::new(image).unwrap()).unwrap();
    assert_eq!(
        saved(image, PixelFormat::GRAY8),
        expected(),
        "{}",
        image.format()
    );
}

/// Every format, with black and white.
#[test]
fn draws_in_every_format() {
    let ink = expected().iter().filter(|&&pixel| pixel == 255).count();
    assert!(ink > 200, "{ink} pixels");
    for &format in PixelFormat::ALL {
        let mut image = Image::new(WIDTH, HEIGHT, format).unwrap();
        if format.is_indexed() {
            let palette = Palette::from_rgb(&[[250, 255, 255], [9, 0, 0]]).unwrap();
            image = image.with_palette(palette).unwrap();
            let mut display = Display::new(&mut image).unwrap();
            display.clear(BinaryColor::Off).unwrap();
            draw(&mut display).unwrap();
            drop(display);
            let indices: Vec<u8> = expected()
                .iter()
                .map(|pixel| u8::from(*pixel == 0))
                .collect();
            assert_eq!(image.to_vec_as(PixelFormat::INDEXED8).unwrap(), indices);
        } else {
            assert_draws(&mut image);
        }
    }
}

/// Text and shapes land in the caller's array, in any source and layout.
#[test]
fn draws_into_the_callers_array() {
    let (width, height) = (WIDTH as usize, HEIGHT as usize);
    let mut words = vec![0u16; width * height];
    let mut image = Image::from_buffer(&mut words, WIDTH, HEIGHT, PixelFormat::RGB565).unwrap();
    assert_eq!(saved(&image, PixelFormat::GRAY8), vec![0; width * height]);
    draw(&mut Display::new(&mut image).unwrap()).unwrap();
    assert_eq!(saved(&image, PixelFormat::GRAY8), expected());
    let ink = |on: &u8| if *on == 255 { 0xffff } else { 0 };
    assert_eq!(words, expected().iter().map(ink).collect::<Vec<u16>>());

    // Nothing else changes: rows with padding, in a larger frame of cells.
    let mut frame = vec![7u8; 100 * 40];
    let cells = Cell::from_mut(&mut frame[..]).as_slice_of_cells();
    let whole = Image::from_buffer(cells, 100, 40, PixelFormat::GRAY8).unwrap();
    assert_draws(
        &mut whole
            .view()
            .crop(20, 10, WIDTH, HEIGHT)
            .unwrap()
            .flip_vertical(),
    );
    assert_eq!(
        frame.iter().filter(|&&byte| byte == 7).count(),
        4000 - width * height
    );

    let lock = Mutex::new(vec![0u8; width * height * 3]);
    let layout = Layout::planar(WIDTH, HEIGHT, PixelFormat::RGB8);
    assert_draws(&mut Image::with_layout(&lock, layout).unwrap());
    assert_draws(
        &mut Image::new(HEIGHT, WIDTH, PixelFormat::GRAY1)
            .unwrap()
            .transpose(),
    );
}

/// Each color of a display of 16 bits is stored as its own word.
#[test]
fn colors_are_exact() {
    let mut words = vec![0u16; 1 << 16];
    let mut image = Image::from_buffer(&mut words, 256, 256, PixelFormat::RGB565).unwrap();
    let mut display = Display::<Rgb565>::new(&mut image).unwrap();
    let colors = (0..=u16::MAX).map(|word| Rgb565::from(RawU16::new(word)));
    let area = display.bounding_box();
    display.fill_contiguous(&area, colors).unwrap();
    drop(display);
    assert!((0..=u16::MAX).eq(words));

    let mut image = Image::new(1, 1, PixelFormat::ABGR8888).unwrap();
    let area = Rectangle::new(Point::zero(), Size::new(1, 1));
    let color = Rgb888::new(1, 2, 3);
    Display::new(&mut image)
        .unwrap()
        .fill_solid(&area, color)
        .unwrap();
    assert_eq!(image.pixels().unwrap().get(0, 0).unwrap(), [1, 2, 3, 255]);
    for (format, expected) in [(PixelFormat::GRAY16, 200 * 257), (PixelFormat::GRAY4, 12)] {
        let mut image = Image::new(1, 1, format).unwrap();
        Display::new(&mut image)
            .unwrap()
            .clear(Gray8::new(200))
            .unwrap();
        assert_eq!(image.pixels().unwrap().get(0, 0).unwrap(), [expected]);
    }
    // The nearest entry of a palette.
    let palette = Palette::from_rgb(&[[0; 3], [200, 0, 0], [255; 3]]).unwrap();
    let image = Image::new(1, 1, PixelFormat::INDEXED2).unwrap();
    let mut image = image.with_palette(palette).unwrap();
    Display::new(&mut image)
        .unwrap()
        .clear(Rgb888::RED)
        .unwrap();
    assert_eq!(image.pixels().unwrap().get(0, 0).unwrap(), [1]);
}

/// Rectangles at the ends of the coordinates, and points far outside.
#[test]
fn clips_far_outside() {
    let mut image = Image::new(4, 4, PixelFormat::GRAY8).unwrap();
    let mut display = Display::new(&mut image).unwrap();
    let gray = Gray8::new(9);
    for at in [i32::MIN, -9, 4, i32::MAX] {
        for at in [Point::new(at, 1), Point::new(1, at), Point::new(at, at)] {
            Pixel(at, gray).draw(&mut display).unwrap();
            let area = Rectangle::new(at, Size::new(5, 5));
            display.fill_solid(&area, gray).unwrap();
            display
                .fill_solid(&Rectangle::new(at, Size::zero()), gray)
                .unwrap();
        }
    }
    drop(display);
    assert_eq!(image.to_vec().unwrap(), [0; 16]);
    let mut display = Display::new(&mut image).unwrap();
    let all = Rectangle::new(
        Point::new(i32::MIN, i32::MIN),
        Size::new(u32::MAX, u32::MAX),
    );
    display.fill_solid(&all, gray).unwrap();
    drop(display);
    assert_eq!(image.to_vec().unwrap(), [9; 16]);
}

/// A display over cells draws while the image is saved. Over plain memory it is
/// dropped before each save.
#[test]
fn saves_between_drawings() {
    let dot = |x, display: &mut Display<'_, Rgb888>| {
        Pixel(Point::new(x, 0), Rgb888::WHITE)
            .draw(display)
            .unwrap();
    };
    let mut bytes = [0u8; 12];
    let cells = Cell::from_mut(&mut bytes[..]).as_slice_of_cells();
    let image = Image::from_buffer(cells, 2, 2, PixelFormat::RGB8).unwrap();
    let mut view = image.view();
    let mut display = Display::new(&mut view).unwrap();
    dot(0, &mut display);
    assert_eq!(
        saved(&image, PixelFormat::RGB8)[..6],
        [255, 255, 255, 0, 0, 0]
    );
    dot(1, &mut display);
    assert_eq!(saved(&image, PixelFormat::RGB8)[..6], [255; 6]);

    let lock = Mutex::new(vec![0u8; 12]);
    let mut image = Image::from_buffer(&lock, 2, 2, PixelFormat::RGB8).unwrap();
    for x in 0..2 {
        let mut display = Display::new(&mut image).unwrap();
        dot(x, &mut display);
        assert!(lock.try_lock().is_err(), "the display holds the lock");
        drop(display);
        let count = 3 * (x as usize + 1);
        assert_eq!(saved(&image, PixelFormat::RGB8)[..count], [255; 6][..count]);
    }
}

#[test]
fn images_that_are_no_display() {
    let mut image = Image::new(4, 4, PixelFormat::INDEXED8).unwrap();
    let error = Display::<Rgb888>::new(&mut image).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoPalette { .. }));
}
