//! The chunks of a file other than its image data: the palette, the ancillary
//! chunks, and the chunks that control an animation.

use std::io::Read;

use super::ancillary::AncillaryChunks;
use super::animation::{AnimationControl, FrameControl};
use super::chunk_reader::{ChunkHeader, ChunkReader, WRONG_CRC};
use super::header::{Header, is_transparency_length, read_palette};
use super::scanlines::{NO_NUMBER, OUT_OF_ORDER, Sequence};
use crate::Error;
use crate::png::metadata::RawChunk;

/// What is wrong with a chunk.
type Fault = &'static str;

/// The chunks other than image data that have been read so far.
///
/// A fault of an ancillary chunk is listed, and is no error unless the decoder
/// is strict. After a fault of a chunk that controls an animation, the animation
/// cannot be played.
pub(super) struct OtherChunks {
    pub(super) ancillary: AncillaryChunks,
    /// The data of `PLTE`, empty without it.
    pub(super) palette: Vec<u8>,
    /// The data of `tRNS`, empty without it.
    pub(super) transparency: Vec<u8>,
    /// `acTL` with its header.
    pub(super) control: Option<(ChunkHeader, AnimationControl)>,
    /// The `fcTL` before the image data, with its header: the image data is the
    /// first frame of the animation.
    pub(super) first_frame: Option<(ChunkHeader, FrameControl)>,
    pub(super) sequence: Sequence,
    /// The first fault of the animation.
    animation_fault: Option<(ChunkHeader, Fault)>,
    width: u32,
    height: u32,
}

impl OtherChunks {
    pub(super) fn new(header: &Header, strict: bool) -> Self {
        OtherChunks {
            ancillary: AncillaryChunks::new(strict),
            palette: Vec::new(),
            transparency: Vec::new(),
            control: None,
            first_frame: None,
            sequence: Sequence::default(),
            animation_fault: None,
            width: header.width,
            height: header.height,
        }
    }

    /// Reads the chunks before the image data and enters the first chunk of image
    /// data, whose header is returned. Ancillary chunks are stored in `room`
    /// bytes.
    pub(super) fn read_before<R: Read>(
        &mut self,
        header: &Header,
        room: u64,
        reader: &mut ChunkReader<R>,
    ) -> Result<ChunkHeader, Error> {
        loop {
            let chunk = reader.enter()?;
            match &chunk.name {
                b"IDAT" => {
                    if let (Some((first, _)), None) = (self.first_frame, self.control) {
                        self.refuse_animation(first, "acTL is missing")?;
                    }
                    return Ok(chunk);
                }
                b"PLTE" if self.palette.is_empty() => {
                    self.palette = read_palette(chunk.length, reader)?;
                }
                b"tRNS" if self.transparency.is_empty() => {
                    if is_transparency_length(header.png, chunk.length) {
                        self.read_transparency(chunk, reader)?;
                    } else {
                        self.read_other(chunk, false, room, reader)?;
                    }
                }
                b"acTL" => {
                    let read = self.read_control(chunk, reader)?;
                    self.check_animation_chunk(chunk, read)?;
                }
                b"fcTL" => {
                    let read = self.read_frame_control(chunk, reader)?;
                    let read = read.and_then(|control| self.set_first_frame(chunk, control));
                    self.check_animation_chunk(chunk, read)?;
                }
                _ => self.read_other(chunk, false, room, reader)?,
            }
        }
    }

    /// Reads the chunks before the data of the next frame and enters the first
    /// chunk of that data. Returns `fcTL` of the frame and the header of the
    /// chunk.
    pub(super) fn read_between<R: Read>(
        &mut self,
        room: u64,
        reader: &mut ChunkReader<R>,
    ) -> Result<(FrameControl, ChunkHeader), Error> {
        let mut control = None;
        loop {
            let chunk = reader.enter()?;
            match (&chunk.name, control) {
                (b"fdAT", Some(control)) => return Ok((control, chunk)),
                (b"fcTL", None) => {
                    let read = self.read_frame_control(chunk, reader)?;
                    control = Some(read.map_err(|fault| chunk.error(fault))?);
                }
                (b"fcTL", Some(_)) => return Err(chunk.error("the frame before has no image data")),
                (b"fdAT", None) => return Err(chunk.error(NO_CONTROL)),
                (b"IEND", _) => return Err(chunk.error("the file has fewer frames than acTL says")),
                _ => self.read_other(chunk, true, room, reader)?,
            }
        }
    }

    /// Reads the chunks up to the end of the file. `played` says that all frames
    /// have been read; otherwise frames are skipped.
    pub(super) fn read_after<R: Read>(
        &mut self,
        played: bool,
        room: u64,
        reader: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        let mut frames = u32::from(self.first_frame.is_some());
        let mut has_control = false;
        loop {
            let chunk = reader.enter()?;
            let read = match &chunk.name {
                b"IEND" if chunk.length == 0 => break,
                b"IEND" => return Err(chunk.error("the chunk must be empty")),
                b"fcTL" => {
                    frames = frames.saturating_add(1);
                    has_control = true;
                    self.read_frame_control(chunk, reader)?.map(|_| ())
                }
                b"fdAT" if has_control => self.read_frame_data(chunk, reader)?,
                b"fdAT" => self.read_frame_data(chunk, reader)?.and(Err(NO_CONTROL)),
                _ => {
                    self.read_other(chunk, true, room, reader)?;
                    continue;
                }
            };
            let read = match self.control {
                Some(_) if played => Err("the file has more frames than acTL says"),
                Some(_) => read,
                None => Err("acTL is missing before the image data"),
            };
            self.check_animation_chunk(chunk, read)?;
        }
        reader.end_critical()?;
        if let Some((chunk, control)) = self.control
            && !played
            && frames != control.frames
        {
            self.refuse_animation(chunk, "the file has another number of frames")?;
        }
        Ok(())
    }

    /// Returns an error if the animation cannot be played.
    pub(super) fn check_animation(&self) -> Result<(), Error> {
        match self.animation_fault {
            Some((chunk, fault)) => Err(chunk.error(fault)),
            None => Ok(()),
        }
    }

    /// Reads a chunk whose name has no meaning at this place of the file.
    fn read_other<R: Read>(
        &mut self,
        chunk: ChunkHeader,
        after: bool,
        room: u64,
        reader: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        match &chunk.name {
            b"PLTE" if after => Err(chunk.error("the palette must be before the image data")),
            b"IHDR" | b"PLTE" => Err(chunk.error(TWICE)),
            b"IDAT" => Err(chunk.error("the chunks of image data must be consecutive")),
            b"IEND" => Err(chunk.error("the file has no image data")),
            b"acTL" | b"fdAT" => {
                reader.end()?;
                self.refuse_animation(chunk, "the chunk is in the wrong place")
            }
            _ if chunk.is_ancillary() => self.ancillary.read(chunk, after, room, reader),
            _ => Err(chunk.error("the critical chunk is unknown")),
        }
    }

    /// Reads `tRNS`, which belongs to the pixels and to the metadata.
    fn read_transparency<R: Read>(
        &mut self,
        chunk: ChunkHeader,
        reader: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        let mut data = vec![0; chunk.length as usize]; // 256 bytes at most
        reader.data(&mut data)?;
        if !reader.end()? {
            return self.ancillary.add_fault(chunk, WRONG_CRC);
        }
        self.transparency.clone_from(&data);
        let (name, offset) = (chunk.name, chunk.offset);
        Ok(self.ancillary.push(RawChunk {
            name,
            data,
            after: false,
            offset,
        })?)
    }

    /// Reads `acTL`.
    fn read_control<R: Read>(
        &mut self,
        chunk: ChunkHeader,
        reader: &mut ChunkReader<R>,
    ) -> Result<Result<(), Fault>, Error> {
        let data = read_exactly(chunk, reader)?;
        let control = data.and_then(AnimationControl::parse);
        Ok(match control {
            Ok(_) if self.control.is_some() => Err(TWICE),
            Ok(control) => {
                self.control = Some((chunk, control));
                Ok(())
            }
            Err(fault) => Err(fault),
        })
    }

    /// Reads `fcTL`.
    fn read_frame_control<R: Read>(
        &mut self,
        chunk: ChunkHeader,
        reader: &mut ChunkReader<R>,
    ) -> Result<Result<FrameControl, Fault>, Error> {
        let data = read_exactly(chunk, reader)?;
        Ok(data.and_then(|data| {
            let [a, b, c, d, ..]: [u8; 26] = data;
            let control = FrameControl::parse(data, self.width, self.height);
            if !self.sequence.is_next(u32::from_be_bytes([a, b, c, d])) {
                return Err(OUT_OF_ORDER);
            }
            control
        }))
    }

    /// Skips `fdAT`.
    fn read_frame_data<R: Read>(
        &mut self,
        chunk: ChunkHeader,
        reader: &mut ChunkReader<R>,
    ) -> Result<Result<(), Fault>, Error> {
        let mut number = [0; 4];
        if chunk.length >= 4 {
            reader.data(&mut number)?;
        }
        let sound = reader.end()?;
        if chunk.length < 4 {
            return Ok(Err(NO_NUMBER));
        }
        let next = self.sequence.is_next(u32::from_be_bytes(number));
        Ok(match (sound, next) {
            (false, _) => Err(WRONG_CRC),
            (true, false) => Err(OUT_OF_ORDER),
            (true, true) => Ok(()),
        })
    }

    /// Sets `fcTL` of the image data.
    fn set_first_frame(&mut self, chunk: ChunkHeader, control: FrameControl) -> Result<(), Fault> {
        if self.first_frame.is_some() {
            return Err(TWICE);
        }
        if !control.is_whole(self.width, self.height) {
            return Err("the first frame must be the whole image");
        }
        self.first_frame = Some((chunk, control));
        Ok(())
    }

    /// Lists the fault of a chunk of the animation, if it has one.
    fn check_animation_chunk(
        &mut self,
        chunk: ChunkHeader,
        read: Result<(), Fault>,
    ) -> Result<(), Error> {
        match read {
            Ok(()) => Ok(()),
            Err(fault) => self.refuse_animation(chunk, fault),
        }
    }

    /// Lists a fault after which the animation cannot be played.
    fn refuse_animation(&mut self, chunk: ChunkHeader, fault: Fault) -> Result<(), Error> {
        self.animation_fault.get_or_insert((chunk, fault));
        self.ancillary.add_fault(chunk, fault)
    }
}

const NO_CONTROL: Fault = "fcTL is missing before the chunk";
const TWICE: Fault = "the chunk must be there once";

/// Reads the data of a chunk that must have `N` bytes.
fn read_exactly<const N: usize, R: Read>(
    chunk: ChunkHeader,
    reader: &mut ChunkReader<R>,
) -> Result<Result<[u8; N], Fault>, Error> {
    let mut data = [0; N];
    let fits = chunk.length as usize == N;
    if fits {
        reader.data(&mut data)?;
    }
    Ok(match (reader.end()?, fits) {
        (_, false) => Err("the chunk has the wrong length"),
        (false, _) => Err(WRONG_CRC),
        (true, true) => Ok(data),
    })
}
