//! Sizes and formats that fit a number of bytes, likeliest first.

use std::fmt::Write;

use pixview::PixelFormat;

use crate::{Args, name};

/// Formats of the same number of bits a pixel, the likeliest first, with a cost:
/// the larger, the less likely.
const FORMATS: &[(u32, &[PixelFormat])] = &[
    (
        0,
        &[
            PixelFormat::RGBA8,
            PixelFormat::BGRA8,
            PixelFormat::BGRX8,
            PixelFormat::RGBX8,
            PixelFormat::GRAY_F32,
        ],
    ),
    (0, &[PixelFormat::RGB8, PixelFormat::BGR8]),
    (2, &[PixelFormat::GRAY8, PixelFormat::INDEXED8]),
    (
        2,
        &[
            PixelFormat::RGB565LE,
            PixelFormat::RGB565BE,
            PixelFormat::GRAY16LE,
            PixelFormat::GRAY16BE,
        ],
    ),
    (3, &[PixelFormat::RGB16LE, PixelFormat::RGB16BE]),
    (3, &[PixelFormat::RGBA16LE, PixelFormat::RGBA16BE]),
    (3, &[PixelFormat::RGB_F32]),
    (3, &[PixelFormat::RGBA_F32]),
    (4, &[PixelFormat::GRAY1, PixelFormat::GRAY1LSB]),
    (5, &[PixelFormat::GRAY4, PixelFormat::INDEXED4]),
];

/// Sizes of screens, cameras, displays, consoles and textures.
const SIZES: &[(u32, u32)] = &[
    (1920, 1080),
    (640, 480),
    (1280, 720),
    (3840, 2160),
    (800, 600),
    (1024, 768),
    (2560, 1440),
    (1280, 1024),
    (1600, 1200),
    (1920, 1200),
    (1366, 768),
    (1440, 900),
    (1680, 1050),
    (1280, 800),
    (1280, 960),
    (2048, 1536),
    (2592, 1944),
    (4096, 2160),
    (5120, 2880),
    (7680, 4320),
    (4000, 3000),
    (4032, 3024),
    (6000, 4000),
    (1080, 1920),
    (720, 1280),
    (480, 640),
    (720, 576),
    (720, 480),
    (960, 540),
    (640, 360),
    (854, 480),
    (800, 480),
    (1024, 600),
    (640, 400),
    (352, 288),
    (320, 240),
    (320, 200),
    (240, 320),
    (480, 320),
    (320, 480),
    (240, 240),
    (160, 120),
    (160, 128),
    (128, 160),
    (176, 144),
    (256, 240),
    (256, 224),
    (240, 160),
    (160, 144),
    (128, 64),
    (128, 32),
    (250, 122),
    (400, 300),
    (800, 640),
    (4096, 4096),
    (2048, 2048),
    (1024, 1024),
    (512, 512),
    (256, 256),
    (128, 128),
    (64, 64),
    (32, 32),
    (16, 16),
];

/// Usual ratios of width to height.
const RATIOS: &[(u64, u64)] = &[
    (4, 3),
    (16, 9),
    (3, 2),
    (16, 10),
    (1, 1),
    (5, 4),
    (2, 1),
    (21, 9),
    (3, 4),
    (9, 16),
    (2, 3),
];

/// Rows of padded images begin at multiples of one of these numbers of bytes. A row
/// has more pixels than padding.
const ALIGNMENTS: &[u64] = &[4, 64, 256];

/// The largest header that is looked for.
const MAX_HEADER: u64 = 4096;

/// The cost of a header before an image of a known size. A header is looked for only
/// if nothing likelier fits.
const HEADER_COST: u32 = 6;

/// The number of lines to print.
const LINES: usize = 10;

/// Options that fit the number of bytes.
struct Proposal {
    cost: u32,
    size: (u32, u32),
    formats: Vec<PixelFormat>,
    /// The row stride, if rows are padded.
    stride: Option<u64>,
    offset: u64,
}

/// Returns the text that lists what fits `len` bytes. If nothing does, returns
/// the text that says this as an error.
pub fn list(args: &Args, len: usize) -> Result<String, String> {
    let name = name(&args.file);
    let offset = args.offset.unwrap_or(0) as u64;
    let len = len as u64;
    let mut proposals = proposals(args, len.saturating_sub(offset), offset);
    if args.offset.is_none()
        && proposals
            .iter()
            .all(|proposal| proposal.cost >= HEADER_COST)
    {
        proposals.extend(headers(args, len));
        proposals.sort_by_key(|proposal| proposal.cost);
    }
    if proposals.is_empty() {
        return Err(format!(
            "{name} has {len} bytes, which no usual size and format fit{}",
            match args.size {
                None => "; give --size",
                Some(_) => "; is the size right?",
            }
        ));
    }
    proposals.truncate(LINES);
    let options: Vec<String> = proposals.iter().map(Proposal::options).collect();
    let column = options.iter().map(String::len).max().unwrap_or(0);
    let mut text = format!("{name} has {len} bytes. What fits them, likeliest first:\n");
    for (proposal, options) in proposals.iter().zip(options) {
        let others: Vec<_> = proposal.formats[1..]
            .iter()
            .map(ToString::to_string)
            .collect();
        let _ = match others[..] {
            [] => writeln!(text, "  {options}"),
            _ => writeln!(text, "  {options:<column$}  or {}", others.join(", ")),
        };
    }
    Ok(text)
}

impl Proposal {
    /// Returns the options to give, with the likeliest format.
    fn options(&self) -> String {
        let (width, height) = self.size;
        let mut options = format!("--size {width}x{height} --format {}", self.formats[0]);
        if let Some(stride) = self.stride {
            let _ = write!(options, " --stride {stride}");
        }
        if self.offset > 0 {
            let _ = write!(options, " --offset {}", self.offset);
        }
        options
    }
}

/// Returns the formats to try, with their costs: those of [`FORMATS`], or the one
/// that was given.
fn formats(args: &Args) -> Vec<(u32, Vec<PixelFormat>)> {
    match args.format {
        Some(format) => vec![(0, vec![format])],
        None => FORMATS
            .iter()
            .map(|&(cost, formats)| (cost, formats.to_vec()))
            .collect(),
    }
}

/// Returns what fits exactly `len` bytes after the offset.
fn proposals(args: &Args, len: u64, offset: u64) -> Vec<Proposal> {
    let mut found: Vec<Proposal> = Vec::new();
    for (format_cost, formats) in formats(args) {
        let mut add = |cost: u32, size: (u32, u32), stride: Option<u64>| {
            if found
                .iter()
                .any(|known| known.size == size && known.formats == formats)
            {
                return;
            }
            found.push(Proposal {
                cost: cost + format_cost,
                size,
                formats: formats.clone(),
                stride,
                offset,
            });
        };
        let row_size = |width| formats[0].row_size(width);
        let padded = |width| {
            ALIGNMENTS
                .iter()
                .map(move |&alignment| row_size(width).next_multiple_of(alignment))
                .filter(move |&stride| stride > row_size(width) && stride < 2 * row_size(width))
        };
        // A given size, or a known one: packed, or padded with or without the
        // padding of the last row.
        let known = match &args.size {
            Some(size) => std::slice::from_ref(size),
            None => SIZES,
        };
        for (rank, &(width, height)) in known.iter().enumerate() {
            let unusual = u32::from(rank >= 24);
            let given = |stride: u64| match args.stride {
                Some(given) => given as u64 == stride,
                None => true,
            };
            if row_size(width) * u64::from(height) == len && given(row_size(width)) {
                add(unusual, (width, height), None);
            }
            let strides = padded(width).chain(args.stride.map(|stride| stride as u64));
            for stride in strides.filter(|&stride| given(stride)) {
                let whole = stride * u64::from(height);
                if stride > row_size(width)
                    && (whole == len || whole - stride + row_size(width) == len)
                {
                    add(unusual + 3, (width, height), Some(stride));
                }
            }
        }
        if args.size.is_some() || args.stride.is_some() {
            continue;
        }
        // Any other width that is a multiple of 8, if the ratio is a usual one.
        let pixels = len * 8 / formats[0].bits_per_pixel() as u64;
        let mut width = 8;
        while width <= 16_384 && u64::from(width) <= pixels {
            let row = row_size(width);
            if len.is_multiple_of(row)
                && let Ok(height) = u32::try_from(len / row)
            {
                let usual = RATIOS
                    .iter()
                    .any(|&(w, h)| u64::from(width) * h == u64::from(height) * w);
                let moderate = u64::from(width) <= 3 * u64::from(height)
                    && u64::from(height) <= 3 * u64::from(width);
                match (usual, moderate) {
                    (true, _) => add(4, (width, height), None),
                    (_, true) => add(8, (width, height), None),
                    _ => {}
                }
            }
            width += 8;
        }
    }
    found.sort_by_key(|proposal| proposal.cost);
    found
}

/// Returns the known sizes that leave a few bytes over, for a header.
fn headers(args: &Args, len: u64) -> Vec<Proposal> {
    let mut found = Vec::new();
    let known = match &args.size {
        Some(size) => std::slice::from_ref(size),
        None => SIZES,
    };
    for (format_cost, formats) in formats(args) {
        for &size in known {
            let row = args
                .stride
                .map_or(formats[0].row_size(size.0), |stride| stride as u64);
            let needed = row.saturating_mul(size.1.into());
            let rest = len.saturating_sub(needed);
            // A header is small beside its image.
            if (1..=MAX_HEADER.min(needed / 8)).contains(&rest) {
                found.push(Proposal {
                    cost: HEADER_COST + format_cost,
                    size,
                    formats: formats.clone(),
                    stride: args.stride.map(|stride| stride as u64),
                    offset: rest,
                });
            }
        }
    }
    // Of several headers, the smallest one.
    found.sort_by_key(|proposal| proposal.offset);
    found
}
