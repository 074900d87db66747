//! PNG files put together chunk by chunk.

// Each test binary uses a different part of this file.
#![allow(dead_code, unreachable_pub)]
// Chunk names are byte strings, which are passed as `&[u8; 4]`.
#![allow(clippy::trivially_copy_pass_by_ref)]

/// Returns the checksum of a chunk (PNG third edition, annex D).
pub fn crc(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < 256 {
            let mut crc = at as u32;
            let mut bit = 0;
            while bit < 8 {
                crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
                bit += 1;
            }
            table[at] = crc;
            at += 1;
        }
        table
    };
    let next = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
    !bytes.iter().fold(!0, next)
}

/// Returns a chunk with its length and its checksum.
pub fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
    chunk.extend(name);
    chunk.extend(data);
    let crc = crc(&chunk[4..]);
    chunk.extend(crc.to_be_bytes());
    chunk
}

/// Returns a chunk with a wrong checksum.
pub fn bad_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = chunk(name, data);
    *chunk.last_mut().unwrap() ^= 1;
    chunk
}

/// Returns the header. `depth` is the number of bits in a sample, `color` the
/// number of the color type.
pub fn header(width: u32, height: u32, depth: u8, color: u8, interlaced: bool) -> Vec<u8> {
    let mut data = [width.to_be_bytes(), height.to_be_bytes()].concat();
    data.extend([depth, color, 0, 0, interlaced.into()]);
    chunk(b"IHDR", &data)
}

/// Returns a whole file: the signature, `chunks`, and the end.
pub fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for chunk in chunks {
        png.extend(chunk);
    }
    png.extend(chunk(b"IEND", &[]));
    png
}

/// Returns `data` as a zlib stream (RFC 1950).
pub fn zlib(data: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(data, 6)
}

/// Returns the bytes of a pixel and of a row of `width` pixels.
fn row_size(width: u32, depth: u8, color: u8) -> (usize, usize) {
    let samples = [1, 0, 3, 1, 2, 0, 4][usize::from(color)];
    let bits = samples * usize::from(depth);
    (bits.div_ceil(8), (width as usize * bits).div_ceil(8))
}

/// Returns filtered rows of random bytes, with every filter in turn. Any bytes are
/// a valid picture, except that indices must be inside the palette.
pub fn scanlines(
    width: u32,
    height: u32,
    depth: u8,
    color: u8,
    interlaced: bool,
    seed: u64,
) -> Vec<u8> {
    let passes: &[[u32; 4]] = if interlaced {
        &[
            [0, 0, 8, 8],
            [4, 0, 8, 8],
            [0, 4, 4, 8],
            [2, 0, 4, 4],
            [0, 2, 2, 4],
            [1, 0, 2, 2],
            [0, 1, 1, 2],
        ]
    } else {
        &[[0, 0, 1, 1]]
    };
    let mut data = Vec::new();
    let mut filter = 0;
    for [x, y, dx, dy] in passes {
        let (w, h) = (
            width.saturating_sub(*x).div_ceil(*dx),
            height.saturating_sub(*y).div_ceil(*dy),
        );
        if w == 0 {
            continue;
        }
        let (_, row) = row_size(w, depth, color);
        for _ in 0..h {
            // A filter would change which indices the bytes stand for.
            data.push(if color == 3 { 0 } else { filter });
            filter = (filter + 1) % 5;
            let noise = super::common::noise(row, seed + data.len() as u64);
            data.extend(noise);
        }
    }
    data
}
