//! The stack that a save takes, as `PngEncoder` states it.

mod common;

use std::cell::Cell;
use std::io;
use std::sync::Mutex;
use std::thread;

use common::{DEFINITIONS, noise};
use pixview::{Compression, Image, Layout, PngEncoder};

/// What the docs of `PngEncoder` state: with optimization, which the profile of
/// tests has too.
const STACK: usize = 64 << 10;

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];

/// Saves in a thread that has no more stack: too little ends the process. Every
/// format has a way of its own into the file.
#[test]
fn saves_need_little() {
    for (i, definition) in DEFINITIONS.iter().enumerate() {
        for (j, compression) in MODES.into_iter().enumerate() {
            // Threads need more than one strip, which takes a while.
            let threads = if i % 8 == 0 { 3 } else { 1 };
            let height = match threads {
                1 => 9,
                _ => 1600 / definition.size() as u32,
            };
            let format = definition.format;
            let mut layouts = vec![Layout::packed(700, height, format)];
            if definition.is_planar() {
                layouts.push(Layout::planar(700, height, format));
            }
            for layout in layouts {
                let mut bytes = noise(definition.row_size(700) * height as usize, 1);
                if definition.palette().is_some() {
                    bytes.fill(0); // noise may name colors beyond the palette
                }
                let save = move || {
                    let mut encoder = PngEncoder::new().compression(compression);
                    encoder = encoder.threads(threads).reduce(j % 2 == 0);
                    let locked = Mutex::new(bytes.clone());
                    let image = Image::with_layout(locked, layout).unwrap();
                    let image = definition.with_palette(image);
                    encoder.write(&image, io::sink()).unwrap();
                    let mut encoder = encoder.reduce(false);
                    let cells = Cell::from_mut(&mut bytes[..]).as_slice_of_cells();
                    let image = Image::with_layout(cells, layout).unwrap();
                    let image = definition.with_palette(image).transpose();
                    encoder.write(&image, io::sink()).unwrap();
                };
                let thread = thread::Builder::new().stack_size(STACK);
                thread.spawn(save).unwrap().join().unwrap();
            }
        }
    }
}
