//! Saves the raw pixels of a file or of standard input as PNG.
//!
//! ```text
//! rawview frame.raw                                        # what may it be?
//! rawview frame.raw --size 640x480 --format BGRX8 -o frame.png
//! ffmpeg … -f rawvideo - | rawview - --size 640x480 --format RGB8 -o frame.png
//! ```
//!
//! The exit code is 2 if the options are wrong or do not fit the bytes, and 1 if
//! a file cannot be read or written.

mod propose;

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use pixview::{ErrorKind, Image, Layout, Palette, PixelFormat};

/// Saves raw pixels as PNG.
///
/// Without a size or a format, lists the sizes and formats that fit the number of
/// bytes.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// File with the pixels; "-" reads standard input
    file: PathBuf,

    /// Width and height in pixels, such as 640x480
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    size: Option<(u32, u32)>,

    /// Pixel format, such as RGB8, BGRX8, RGB565 or "GRAY16 of 12 significant bits"
    ///
    /// The letters list the channels in the order of memory, X is padding. Words
    /// such as XRGB8888 and RGB565 list them from the most significant bits down.
    /// The docs of `pixview::PixelFormat` have all names.
    #[arg(long, value_parser = str::parse::<PixelFormat>)]
    format: Option<PixelFormat>,

    /// Bytes from the start of a row to the start of the next
    ///
    /// Defaults to the bytes of a row without padding. With --stride or --offset
    /// the file may be longer than the image.
    #[arg(long, value_name = "BYTES")]
    stride: Option<usize>,

    /// Bytes before the first row, such as those of a header
    ///
    /// Defaults to 0.
    #[arg(long, value_name = "BYTES")]
    offset: Option<usize>,

    /// The first row in the file is the lowest row of the picture
    #[arg(long)]
    flip: bool,

    /// Rectangle to save, in pixels of the picture
    #[arg(long, value_name = "X,Y,W,H", value_parser = parse_rect)]
    crop: Option<[u32; 4]>,

    /// File with the colors of an INDEXED format: 3 bytes each, red, green, blue
    #[arg(long, value_name = "FILE")]
    palette: Option<PathBuf>,

    /// PNG file to write; "-" writes to standard output
    #[arg(short, long, value_name = "PNG")]
    output: Option<PathBuf>,
}

/// A message for the user, and the exit code.
struct Failure(u8, String);

impl Failure {
    /// Returns the failure of options that are wrong or do not fit.
    fn usage(message: impl Into<String>) -> Self {
        Failure(2, message.into())
    }

    /// Returns the failure of a file that cannot be read.
    fn read(path: &Path, error: &io::Error) -> Self {
        Failure(1, format!("could not read {}: {error}", path.display()))
    }
}

impl From<pixview::Error> for Failure {
    fn from(error: pixview::Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Write(_) | ErrorKind::OutOfMemory { .. } => 1,
            _ => 2,
        };
        Failure(code, error.to_string())
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(code, message)) => {
            eprintln!("rawview: {message}");
            ExitCode::from(code)
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let bytes = read(&args.file).map_err(|error| Failure::read(&args.file, &error))?;
    if bytes.is_empty() {
        return Err(Failure::usage(format!("{} is empty", name(&args.file))));
    }
    match (args.size, args.format, &args.output) {
        (Some(size), Some(format), Some(output)) => save(args, &bytes, size, format, output),
        (Some(_), Some(_), None) => Err(Failure::usage(
            "-o is missing: give the PNG file to write, or - for standard output",
        )),
        (_, _, None) => {
            let text = propose::list(args, bytes.len()).map_err(Failure::usage)?;
            // A reader of standard output that has seen enough is no failure.
            let _ = io::stdout().write_all(text.as_bytes());
            Ok(())
        }
        (size, _, Some(_)) => {
            let missing = match size {
                None => "--size",
                Some(_) => "--format",
            };
            let text = propose::list(args, bytes.len()).unwrap_or_else(|none| none);
            Err(Failure::usage(format!(
                "{missing} is missing. {}",
                text.trim_end()
            )))
        }
    }
}

fn save(
    args: &Args,
    bytes: &[u8],
    (width, height): (u32, u32),
    format: PixelFormat,
    output: &Path,
) -> Result<(), Failure> {
    let mut image = if args.stride.is_none() && args.offset.is_none() {
        Image::from_buffer(bytes, width, height, format)
            .map_err(|error| explain_length(error, &args.file))?
    } else {
        let mut layout =
            Layout::packed(width, height, format).with_offset(args.offset.unwrap_or(0));
        if let Some(stride) = args.stride {
            layout = layout.with_row_stride(isize::try_from(stride).unwrap_or(isize::MAX));
        }
        Image::with_layout(bytes, layout)?
    };
    match &args.palette {
        Some(path) => image = image.with_palette(read_palette(path)?)?,
        None if format.is_indexed() => {
            return Err(Failure::usage(format!(
                "{format} needs the colors of its indices: give --palette"
            )));
        }
        None => {}
    }
    if args.flip {
        image = image.flip_vertical();
    }
    if let Some([x, y, width, height]) = args.crop {
        image = image.crop(x, y, width, height)?;
    }
    if output == Path::new("-") {
        image.write_png(io::stdout().lock())?;
    } else {
        image.save(output)?;
    }
    Ok(())
}

/// Returns a failure that names the options of this tool, if the number of bytes does
/// not fit the size and the format.
fn explain_length(error: pixview::Error, file: &Path) -> Failure {
    let &ErrorKind::BufferLength {
        needed,
        given,
        width,
        height,
        format,
        ..
    } = error.kind()
    else {
        return error.into();
    };
    let pixels = u64::from(width) * u64::from(height);
    let hint = if given.is_multiple_of(pixels) {
        let bytes = given / pixels;
        format!(
            "that is {bytes} bytes a pixel; is the format right? Without --format, rawview lists what fits"
        )
    } else if given < needed {
        "is the size right? Without --size, rawview lists what fits".to_owned()
    } else {
        let rest = given - needed;
        format!("are {rest} bytes a header (--offset {rest}), or are rows padded (--stride)?")
    };
    Failure::usage(format!(
        "{width}x{height} pixels of {format} have {needed} bytes, {} has {given}: {hint}",
        name(file)
    ))
}

/// Returns the name of a file for messages.
fn name(file: &Path) -> String {
    match file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => file.display().to_string(),
    }
}

/// Returns the bytes of a file, or of standard input.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return fs::read(path);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_palette(path: &Path) -> Result<Palette, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::read(path, &error))?;
    match bytes.as_chunks() {
        (colors, []) => Palette::from_rgb(colors)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display()))),
        _ => Err(Failure::usage(format!(
            "{}: a palette has 3 bytes for each color, the file has {} bytes",
            path.display(),
            bytes.len()
        ))),
    }
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text
        .split_once(['x', 'X'])
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    match parsed {
        Some((0, _) | (_, 0)) => Err("width and height must be at least 1".to_owned()),
        Some(size) => Ok(size),
        None => Err("give width and height in pixels, such as 640x480".to_owned()),
    }
}

fn parse_rect(text: &str) -> Result<[u32; 4], String> {
    let numbers: Result<Vec<u32>, _> = text.split(',').map(str::parse).collect();
    numbers
        .ok()
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| "give left edge, top edge, width and height, such as 0,0,64,48".to_owned())
}
