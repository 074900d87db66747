//! What a file holds around its image data: the palette, the chunks that say
//! something beside the pixels, and the order of an animation.

use std::io::BufRead;

use super::animation::{Control, FrameControl};
use super::chunk_reader::{ChunkHeader, ChunkReader, WRONG_CRC};
use super::header::{Header, is_transparency, read_palette};
use super::kept::Kept;
use super::scanlines::{OUT_OF_ORDER, Sequence};
use crate::Error;
use crate::png::metadata::RawChunk;

type Wrong = &'static str;

/// Everything but image data that has been read so far.
///
/// What is wrong with a chunk that the image can do without is no error: the
/// chunk is listed as refused. If it belongs to an animation, that can't be
/// played.
pub(super) struct Surroundings {
    pub(super) kept: Kept,
    /// Red, green and blue of each color.
    pub(super) palette: Vec<u8>,
    /// The data of `tRNS`.
    pub(super) transparency: Vec<u8>,
    /// `acTL`, and where it was.
    pub(super) control: Option<(ChunkHeader, Control)>,
    /// The frame that the image of the file is.
    pub(super) first_frame: Option<(ChunkHeader, FrameControl)>,
    pub(super) sequence: Sequence,
    /// The first thing that is wrong with the animation.
    fault: Option<(ChunkHeader, Wrong)>,
    width: u32,
    height: u32,
}

impl Surroundings {
    pub(super) fn new(header: &Header, strict: bool) -> Self {
        Surroundings {
            kept: Kept::new(strict),
            palette: Vec::new(),
            transparency: Vec::new(),
            control: None,
            first_frame: None,
            sequence: Sequence::default(),
            fault: None,
            width: header.width,
            height: header.height,
        }
    }

    /// Reads as far as the image data, whose first chunk has been entered then.
    /// Chunks are kept in `room` bytes.
    pub(super) fn read_before<R: BufRead>(
        &mut self,
        header: &Header,
        room: u64,
        from: &mut ChunkReader<R>,
    ) -> Result<ChunkHeader, Error> {
        loop {
            let chunk = from.enter()?;
            match &chunk.name {
                b"IDAT" => {
                    if let (Some((first, _)), None) = (self.first_frame, self.control) {
                        self.refuse_animation(first, "there is no acTL beside it")?;
                    }
                    return Ok(chunk);
                }
                b"PLTE" if self.palette.is_empty() => {
                    self.palette = read_palette(chunk.length, from)?;
                }
                b"tRNS" if self.transparency.is_empty() => {
                    if is_transparency(header.png, chunk.length) {
                        self.read_transparency(chunk, from)?;
                    } else {
                        self.read_other(chunk, false, room, from)?;
                    }
                }
                b"acTL" => {
                    let read = self.read_control(chunk, from)?;
                    self.accept_animation(chunk, read)?;
                }
                b"fcTL" => {
                    let read = self.read_frame_control(chunk, from)?;
                    let read = read.and_then(|control| self.set_first_frame(chunk, control));
                    self.accept_animation(chunk, read)?;
                }
                _ => self.read_other(chunk, false, room, from)?,
            }
        }
    }

    /// Reads as far as the data of the next frame, which have been entered then.
    pub(super) fn read_between<R: BufRead>(
        &mut self,
        room: u64,
        from: &mut ChunkReader<R>,
    ) -> Result<(FrameControl, ChunkHeader), Error> {
        let mut control = None;
        loop {
            let chunk = from.enter()?;
            match (&chunk.name, control) {
                (b"fdAT", Some(control)) => return Ok((control, chunk)),
                (b"fcTL", None) => {
                    let read = self.read_frame_control(chunk, from)?;
                    control = Some(read.map_err(|what| chunk.error(what))?);
                }
                (b"fcTL", Some(_)) => return Err(chunk.error("the frame before has no data")),
                (b"fdAT", None) => return Err(chunk.error(NO_CONTROL)),
                (b"IEND", _) => return Err(chunk.error("there are fewer frames than acTL says")),
                _ => self.read_other(chunk, true, room, from)?,
            }
        }
    }

    /// Reads to the end of the file. Frames have been played, all of them, or
    /// are passed over.
    pub(super) fn read_after<R: BufRead>(
        &mut self,
        played: bool,
        room: u64,
        from: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        let mut frames = u32::from(self.first_frame.is_some());
        let mut has_control = false;
        loop {
            let chunk = from.enter()?;
            let read = match &chunk.name {
                b"IEND" if chunk.length == 0 => break,
                b"IEND" => return Err(chunk.error("it has no data")),
                b"fcTL" => {
                    frames = frames.saturating_add(1);
                    has_control = true;
                    self.read_frame_control(chunk, from)?.map(|_| ())
                }
                b"fdAT" if has_control => self.read_frame_data(chunk, from)?,
                b"fdAT" => self.read_frame_data(chunk, from)?.and(Err(NO_CONTROL)),
                _ => {
                    self.read_other(chunk, true, room, from)?;
                    continue;
                }
            };
            let read = match self.control {
                Some(_) if played => Err("there are more frames than acTL says"),
                Some(_) => read,
                None => Err("there is no acTL before the image data"),
            };
            self.accept_animation(chunk, read)?;
        }
        from.end_critical()?;
        if let Some((chunk, control)) = self.control
            && !played
            && frames != control.frames
        {
            self.refuse_animation(chunk, "there is another number of frames")?;
        }
        Ok(())
    }

    /// Fails if the animation can't be played.
    pub(super) fn check_animation(&self) -> Result<(), Error> {
        match self.fault {
            Some((chunk, what)) => Err(chunk.error(what)),
            None => Ok(()),
        }
    }

    /// Reads a chunk that has nothing to do with animations.
    fn read_other<R: BufRead>(
        &mut self,
        chunk: ChunkHeader,
        after: bool,
        room: u64,
        from: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        match &chunk.name {
            b"PLTE" if after => Err(chunk.error("it comes behind the image data")),
            b"IHDR" | b"PLTE" => Err(chunk.error("it is there twice")),
            b"IDAT" => Err(chunk.error("the image data are in two places")),
            b"IEND" => Err(chunk.error("there are no image data before it")),
            b"acTL" | b"fdAT" => {
                from.end()?;
                self.refuse_animation(chunk, "it is in the wrong place")
            }
            _ if chunk.is_ancillary() => self.kept.read(chunk, after, room, from),
            _ => Err(chunk.error("a chunk that has to be known, and is not")),
        }
    }

    /// Reads `tRNS`, which is needed for the pixels and is metadata too.
    fn read_transparency<R: BufRead>(
        &mut self,
        chunk: ChunkHeader,
        from: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        let mut data = vec![0; chunk.length as usize]; // 256 bytes at most
        from.data(&mut data)?;
        if !from.end()? {
            return self.kept.refuse(chunk, WRONG_CRC);
        }
        self.transparency.clone_from(&data);
        let (name, offset) = (chunk.name, chunk.offset);
        Ok(self.kept.push(RawChunk {
            name,
            data,
            after: false,
            offset,
        })?)
    }

    /// Reads `acTL`.
    fn read_control<R: BufRead>(
        &mut self,
        chunk: ChunkHeader,
        from: &mut ChunkReader<R>,
    ) -> Result<Result<(), Wrong>, Error> {
        let data = read_exactly(chunk, from)?;
        let control = data.and_then(Control::parse);
        Ok(match control {
            Ok(_) if self.control.is_some() => Err("it is there twice"),
            Ok(control) => {
                self.control = Some((chunk, control));
                Ok(())
            }
            Err(what) => Err(what),
        })
    }

    /// Reads `fcTL`.
    fn read_frame_control<R: BufRead>(
        &mut self,
        chunk: ChunkHeader,
        from: &mut ChunkReader<R>,
    ) -> Result<Result<FrameControl, Wrong>, Error> {
        let data = read_exactly(chunk, from)?;
        Ok(data.and_then(|data| {
            let [a, b, c, d, ..]: [u8; 26] = data;
            let control = FrameControl::parse(data, self.width, self.height);
            if !self.sequence.is_next(u32::from_be_bytes([a, b, c, d])) {
                return Err(OUT_OF_ORDER);
            }
            control
        }))
    }

    /// Passes over `fdAT`.
    fn read_frame_data<R: BufRead>(
        &mut self,
        chunk: ChunkHeader,
        from: &mut ChunkReader<R>,
    ) -> Result<Result<(), Wrong>, Error> {
        let mut number = [0; 4];
        if chunk.length >= 4 {
            from.data(&mut number)?;
        }
        let sound = from.end()?;
        if chunk.length < 4 {
            return Ok(Err("it has no number"));
        }
        let next = self.sequence.is_next(u32::from_be_bytes(number));
        Ok(match (sound, next) {
            (false, _) => Err(WRONG_CRC),
            (true, false) => Err(OUT_OF_ORDER),
            (true, true) => Ok(()),
        })
    }

    fn set_first_frame(&mut self, chunk: ChunkHeader, control: FrameControl) -> Result<(), Wrong> {
        if self.first_frame.is_some() {
            return Err("it is there twice before the image data");
        }
        if !control.is_whole(self.width, self.height) {
            return Err("the first frame is the whole image");
        }
        self.first_frame = Some((chunk, control));
        Ok(())
    }

    fn accept_animation(
        &mut self,
        chunk: ChunkHeader,
        read: Result<(), Wrong>,
    ) -> Result<(), Error> {
        match read {
            Ok(()) => Ok(()),
            Err(what) => self.refuse_animation(chunk, what),
        }
    }

    fn refuse_animation(&mut self, chunk: ChunkHeader, what: Wrong) -> Result<(), Error> {
        self.fault.get_or_insert((chunk, what));
        self.kept.refuse(chunk, what)
    }
}

const NO_CONTROL: Wrong = "there is no fcTL before it";

/// Reads the data of a chunk that has so many bytes.
fn read_exactly<const N: usize, R: BufRead>(
    chunk: ChunkHeader,
    from: &mut ChunkReader<R>,
) -> Result<Result<[u8; N], Wrong>, Error> {
    let mut data = [0; N];
    let fits = chunk.length as usize == N;
    if fits {
        from.data(&mut data)?;
    }
    Ok(match (from.end()?, fits) {
        (_, false) => Err("it has the wrong length"),
        (false, _) => Err(WRONG_CRC),
        (true, true) => Ok(data),
    })
}
