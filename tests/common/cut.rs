//! PNG files whose image data is cut in every way, well and badly, and their reading
//! by one thread and by several.

use std::fmt::Write as _;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress, create_comp_flags_from_zip_params,
};
use pixview::{Error, Image, PixelFormat, PngDecoder, PngReader};

use crate::parts::{bad_chunk, chunk, file, header};

/// Choices, which a fuzzer or a random number generator makes.
pub(crate) struct Script<'b>(pub(crate) &'b [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// Returns a number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        let number = usize::from(self.byte()) | usize::from(self.byte()) << 8;
        number % limit.max(1)
    }

    /// Returns `true` once in so many times.
    fn once_in(&mut self, times: u8) -> bool {
        self.byte() % times == times - 1
    }
}

/// What a script asks for.
pub(crate) struct Cut {
    pub(crate) png: Vec<u8>,
    /// Whether nothing was damaged, and all chunks inflate independently.
    #[allow(dead_code)] // not in the fuzz target
    pub(crate) is_sound: bool,
    format: Option<PixelFormat>,
    max_bytes: u64,
    strict: bool,
    /// The progress call that stops the read.
    stop: Option<usize>,
}

impl Cut {
    /// Reads a file in its own format.
    #[allow(dead_code)] // not in the fuzz target
    pub(crate) fn of(png: Vec<u8>) -> Self {
        Cut {
            png,
            is_sound: false,
            format: None,
            max_bytes: 1 << 26,
            strict: false,
            stop: None,
        }
    }
}

/// A compressor whose output is taken piece by piece.
struct Stream {
    inner: Box<CompressorOxide>,
}

impl Stream {
    fn new(level: i32) -> Self {
        let flags = create_comp_flags_from_zip_params(level, 15, 0);
        Stream {
            inner: Box::new(CompressorOxide::new(flags)),
        }
    }

    fn push(&mut self, mut data: &[u8], flush: TDEFLFlush, to: &mut Vec<u8>) {
        loop {
            let mut buffer = [0; 4096];
            let (_, read, written) = compress(&mut self.inner, data, &mut buffer, flush);
            to.extend_from_slice(&buffer[..written]);
            data = &data[read..];
            if data.is_empty() && written < buffer.len() {
                return;
            }
        }
    }
}

/// Returns raw deflate that can be followed by other deflate.
#[allow(dead_code)] // not in the fuzz target
pub(crate) fn independent_piece(data: &[u8]) -> Vec<u8> {
    let mut piece = Vec::new();
    Stream::new(9).push(data, TDEFLFlush::Full, &mut piece);
    piece.split_off(2) // the header of zlib
}

/// Makes a file by a script.
pub(crate) fn make(bytes: &[u8]) -> Cut {
    let mut script = Script(bytes);
    let script = &mut script;
    let (color, depths): (u8, &[u8]) = [
        (2, &[8, 16][..]),
        (6, &[8, 16]),
        (0, &[1, 2, 4, 8, 16]),
        (3, &[1, 2, 4, 8]),
        (4, &[8, 16]),
    ][script.below(5)];
    let depth = depths[script.below(depths.len())];
    let samples = [1, 0, 3, 1, 2, 0, 4][usize::from(color)];
    let interlaced = script.once_in(20);
    let large = script.once_in(16);
    let most = if large { 1500 } else { 40 };
    let (width, height) = (1 + script.below(most), 1 + script.below(40));
    let line = 1 + (width * samples * usize::from(depth)).div_ceil(8);
    let mut sound = !interlaced;

    let mut seed = u32::from(script.byte()) | 1;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let random_bits = [0, 1, 3, 255][script.below(4)];
    // An interlaced image has more scanlines. Their number may be wrong here.
    let mut lines: Vec<u8> = (0..height)
        .flat_map(|_| {
            let filter = if color == 3 { 0 } else { noise() % 5 };
            let row: Vec<u8> = (1..line).map(|_| noise() & random_bits).collect();
            [vec![filter], row].concat()
        })
        .collect();
    match script.below(24) {
        0 => {
            let at = script.below(height) * line;
            lines[at] = script.byte();
            sound &= lines[at] < 5;
        }
        1 => {
            lines.truncate(script.below(lines.len()));
            sound = false;
        }
        2 => {
            lines.extend(vec![script.byte(); script.below(3 * line)]);
            sound = false;
        }
        _ => {}
    }

    // The pieces of the stream.
    let mut stream = Stream::new(1 + script.below(9) as i32);
    let mut pieces = vec![Vec::new()];
    let mut at = 0;
    while at < lines.len() {
        let mut size = line * (1 + script.below(height));
        if script.once_in(24) {
            size += script.below(line);
            sound &= size.is_multiple_of(line);
        }
        let end = (at + size).min(lines.len());
        let data = &lines[at..end];
        at = end;
        let to = pieces.last_mut().unwrap();
        if at == lines.len() {
            stream.push(data, TDEFLFlush::Finish, to);
            break;
        }
        match script.below(24) {
            0 => {
                stream.push(data, TDEFLFlush::Sync, to);
                sound = false;
            }
            1 => {
                stream.push(data, TDEFLFlush::None, to);
                sound = false;
            }
            2 => {
                // An empty chunk.
                stream.push(data, TDEFLFlush::Full, to);
                pieces.push(Vec::new());
                sound = false;
            }
            _ => stream.push(data, TDEFLFlush::Full, to),
        }
        pieces.push(Vec::new());
    }

    // Damage.
    let count = pieces.len();
    let mut damaged = None;
    if script.once_in(2) {
        let i = script.below(count);
        let len = pieces[i].len();
        let byte = script.byte();
        match script.below(12) {
            0 if len > 0 => pieces[i][script.below(len)] ^= byte,
            1 => pieces.swap(i, (i + 1) % count),
            2 => pieces.insert(i, pieces[i].clone()),
            3 => drop(pieces.remove(i)),
            4 if i + 1 < count => {
                // A border moves.
                let moved = pieces[i].split_off(len - script.below(len + 1).min(7));
                pieces[i + 1].splice(..0, moved);
            }
            5 => {
                let moved = pieces[i].split_off(script.below(len + 1));
                pieces.insert(i + 1, moved);
            }
            6 => pieces[count - 1].extend(vec![byte; 1 + script.below(20)]),
            7 => pieces.push(vec![byte; script.below(20)]),
            8 => {
                let len = pieces[count - 1].len();
                let at = len - (1 + script.below(4)).min(len);
                if let Some(sum) = pieces[count - 1].get_mut(at) {
                    *sum ^= byte;
                }
            }
            9 => damaged = Some(i),
            10 => pieces[i].truncate(script.below(len + 1)),
            _ => {
                let joined = pieces.concat();
                let size = 1 + script.below(joined.len());
                pieces = joined.chunks(size).map(<[u8]>::to_vec).collect();
            }
        }
        sound = false;
    }

    let mut chunks = vec![header(
        width as u32,
        height as u32,
        depth,
        color,
        interlaced,
    )];
    if color == 3 {
        let colors = (1 + script.below(256)).min(1 << depth);
        let rgb: Vec<u8> = (0..colors).flat_map(crate::common::color).collect();
        chunks.push(chunk(b"PLTE", &rgb));
    }
    if script.once_in(8) {
        chunks.push(chunk(b"tEXt", &[b'x'; 300]));
    }
    let between = if script.once_in(24) {
        sound = false;
        Some(script.below(pieces.len().max(1)))
    } else {
        None
    };
    for (i, piece) in pieces.iter().enumerate() {
        let make = if damaged == Some(i) { bad_chunk } else { chunk };
        chunks.push(make(b"IDAT", piece));
        if between == Some(i) {
            chunks.push(chunk(b"tEXt", b"Comment\0between"));
        }
    }
    if script.once_in(8) {
        chunks.push(chunk(b"tEXt", b"Comment\0behind"));
    }
    let mut png = file(&chunks);
    match script.below(12) {
        0 => {
            png.truncate(script.below(png.len()));
            sound = false;
        }
        1 => {
            let at = script.below(png.len());
            png[at] ^= script.byte();
            sound = false;
        }
        2 => png.extend(b"behind the end"),
        _ => {}
    }
    Cut {
        png,
        is_sound: sound,
        format: [
            None,
            Some(PixelFormat::BGRA8),
            Some(PixelFormat::GRAY1),
            Some(PixelFormat::RGB565),
            Some(PixelFormat::INDEXED4),
        ][script.below(5)],
        max_bytes: if script.once_in(16) {
            script.below(1 << 16) as u64 * 64
        } else {
            1 << 26
        },
        strict: script.once_in(4),
        stop: script.once_in(16).then_some(script.below(4)),
    }
}

/// Reads by one thread and by several, and compares the outcomes: pixels or error, the
/// rows in the view, the calls of the progress function, and the metadata.
pub(crate) fn compare(cut: &Cut, path: Option<&Path>) -> String {
    let decoder = |threads| {
        PngDecoder::new()
            .max_pixels(1 << 20)
            .max_bytes(cut.max_bytes)
            .strict(cut.strict)
            .threads(threads)
    };
    let one = outcome(cut, decoder(1).open_bytes(&cut.png));
    for threads in [2, 3] {
        let several = outcome(cut, decoder(threads).open_bytes(&cut.png));
        assert!(one == several, "one thread:\n{one}\n{threads}:\n{several}");
    }
    if let Some(path) = path {
        std::fs::write(path, &cut.png).unwrap();
        let one = outcome(cut, decoder(1).open(path));
        let several = outcome(cut, decoder(2).open(path));
        assert!(one == several, "one thread:\n{one}\ntwo:\n{several}");
    }
    one
}

fn outcome<R: Read>(cut: &Cut, reader: Result<PngReader<R>, Error>) -> String {
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(error) => return format!("not opened: {error:#} {error:?}"),
    };
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (heard, stop) = (Arc::clone(&calls), cut.stop);
    reader = reader.on_progress(move |progress| {
        let mut calls = heard.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(format!("{progress:?}"));
        if Some(calls.len()) == stop {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let format = cut.format.unwrap_or(reader.format());
    let mut text = String::new();
    let view = Image::new(reader.width(), reader.height(), format);
    if let Ok(mut view) = view {
        view.source_mut().fill(0xa5);
        let read = reader.read_into(&mut view);
        let pixels = view.source();
        let first = pixels.iter().position(|&byte| byte == 0xa5);
        let sum = pixels.iter().fold(7u64, |sum, &byte| {
            sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte)
        });
        let palette = view.palette();
        write!(text, "{read:?} {first:?} {sum} {palette:?} ").unwrap();
        if let Err(error) = read {
            write!(text, "{error:#} ").unwrap();
        }
    }
    let again = reader.read().map(|image| image.source().len());
    let said = reader.metadata();
    let calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
    write!(text, "{again:?} {said:?} {calls:?}").unwrap();
    text
}
