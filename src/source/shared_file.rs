//! Files as sources, for memory that other processes or devices write.

use std::fs::{File, Metadata};
use std::io;

use super::{
    Lease, LeaseMut, LiveBytes, LiveBytesMut, PixelSource, PixelSourceMut, SharedPixelSource,
    SourceError,
};

/// The bytes of an open file that other processes or devices write: POSIX shared
/// memory, a memfd, the buffer of a display (`/dev/fb0`), or any file.
///
/// A view reads and writes the file by system calls. A row whose pixels lie side by side
/// takes one call. No memory is mapped, so no reference to memory that others change
/// exists.
///
/// **Truncation.** If another process shortens the file, reads of the missing bytes fail
/// with [`SourceError::Changed`]. In a mapping, such a read would end this process with
/// the signal `SIGBUS`. A file sealed with `F_SEAL_SHRINK` cannot be shortened.
///
/// **Tearing.** Others may write at any moment, and the system promises no more than
/// whole bytes: a sample of 16 bits may have an old and a new half. If the writer keeps
/// a generation number in the file, saves find out whether the pixels are from one
/// moment: see [`with_generation_at`](SharedFile::with_generation_at).
///
/// **Writing.** The file must be open for writing, and not for appending: Linux and
/// Windows would write each pixel to the end of the file. On Linux that is an error, on
/// Windows nothing detects it.
///
/// Not every device can be read, and on Apple's systems POSIX shared memory cannot. For
/// memory that can only be mapped, the crate `vm-memory` reads a mapping without a
/// reference to it: the [cookbook](crate::docs::cookbook) has the few lines of
/// [`LiveBytes`].
///
/// On Windows, reads and writes move the position of the file.
///
/// # Examples
///
/// ```no_run
/// use std::fs::File;
/// use pixview::source::SharedFile;
/// use pixview::{Image, PixelFormat};
///
/// let screen = SharedFile::with_len(File::open("/dev/fb0")?, 1920 * 1080 * 4);
/// Image::from_buffer(screen, 1920, 1080, PixelFormat::BGRX8)?.save("screen.png")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SharedFile {
    file: File,
    len: usize,
    /// The byte of the file at which the generation number begins.
    generation: Option<u64>,
}

impl SharedFile {
    /// Creates a source of all bytes that the file has now.
    ///
    /// # Errors
    ///
    /// The error of [`File::metadata`], or
    /// [`FileTooLarge`](io::ErrorKind::FileTooLarge) if the length does not fit a
    /// `usize`.
    pub fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok(Self::with_len(file, len))
    }

    /// Creates a source of the first `len` bytes of a file. For devices, which report no
    /// length. Does not check the length: a read of bytes that the file does not have
    /// is an error.
    #[must_use]
    pub fn with_len(file: File, len: usize) -> Self {
        SharedFile {
            file,
            len,
            generation: None,
        }
    }

    /// Sets the place of a generation number: eight bytes at `offset` in the file, in
    /// the byte order of this machine. Saves then find out whether the file was
    /// edited while they read it: see [`LiveBytes::generation`].
    ///
    /// The writer makes the number odd, then writes the pixels, then makes the number
    /// even and larger than before. Each step is a system call that has returned before
    /// the next one begins. POSIX promises that a read sees every write that has
    /// returned, so no order of reads and writes can hide an edit. A writer that has
    /// mapped the file must order its stores itself, and depends on the system to show
    /// them in this order.
    ///
    /// If the number cannot be read when a save begins, the file counts as one without a
    /// number: [`SaveReport::frame`](crate::png::SaveReport::frame) is then `Unknown`.
    ///
    /// A write through a view does not change the number in the file.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::fs::File;
    /// use pixview::png::Consistency;
    /// use pixview::source::SharedFile;
    /// use pixview::{Image, Layout, PixelFormat, PngEncoder};
    ///
    /// // Eight bytes of the number, then the pixels.
    /// let file = SharedFile::new(File::open("/dev/shm/frame")?)?.with_generation_at(0);
    /// let layout = Layout::packed(640, 480, PixelFormat::RGBX8).with_offset(8);
    /// let image = Image::with_layout(file, layout)?;
    /// let mut encoder = PngEncoder::new().consistency(Consistency::Snapshot);
    /// encoder.save(&image, "frame.png")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_generation_at(mut self, offset: u64) -> Self {
        self.generation = Some(offset);
        self
    }

    /// Returns the file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Returns the error of a read or write of bytes that the image expects.
    fn error(&self, error: io::Error) -> SourceError {
        // A device says no length.
        let data = self.file.metadata().ok().filter(Metadata::is_file);
        let found = data.and_then(|data| usize::try_from(data.len()).ok());
        if let Some(found) = found.filter(|&found| found < self.len)
            && error.kind() == io::ErrorKind::UnexpectedEof
        {
            return SourceError::Changed {
                expected: self.len,
                found,
                expected_element: 1,
                found_element: 1,
            };
        }
        SourceError::other(error)
    }

    /// Refuses bytes beyond the end of the source. Returns their place in the file.
    fn check(&self, offset: usize, bytes: usize) -> Result<u64, SourceError> {
        let end = offset.checked_add(bytes);
        if end.is_none_or(|end| end > self.len) {
            return Err(SourceError::OutOfRange {
                offset,
                bytes,
                len: self.len,
            });
        }
        Ok(offset as u64)
    }
}

impl LiveBytes for &SharedFile {
    fn len(&self) -> usize {
        self.len
    }

    fn element_size(&self) -> usize {
        1
    }

    fn generation(&self) -> Option<u64> {
        let mut number = [0; 8];
        read_exact_at(&self.file, self.generation?, &mut number).ok()?;
        Some(u64::from_ne_bytes(number))
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        let offset = self.check(offset, to.len())?;
        read_exact_at(&self.file, offset, to).map_err(|error| self.error(error))
    }
}

impl LiveBytesMut for &SharedFile {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        let offset = self.check(offset, from.len())?;
        write_all_at(&self.file, offset, from).map_err(|error| self.error(error))
    }
}

impl PixelSource for SharedFile {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(self))
    }
}

/// Writes to the file. The file must be open for writing, and not for appending.
impl SharedPixelSource for SharedFile {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        if appends(&self.file).map_err(SourceError::other)? {
            return Err(SourceError::other("the file is open for appending"));
        }
        Ok(LeaseMut::live(self))
    }
}

impl PixelSourceMut for SharedFile {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        SharedPixelSource::lease_shared(self)
    }
}

/// Returns whether the system writes to the end of the file, whatever the offset. POSIX
/// forbids that, but Linux does it (see "BUGS" in `man 2 pwrite`).
#[cfg(any(target_os = "linux", target_os = "android"))]
fn appends(file: &File) -> io::Result<bool> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    Ok(flags.contains(rustix::fs::OFlags::APPEND))
}

/// Other systems write to the offset, or do not say.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "it fails on other systems")]
fn appends(_: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, to: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, to, offset)
}

#[cfg(unix)]
fn write_all_at(file: &File, offset: u64, from: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, from, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut offset: u64, mut to: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !to.is_empty() {
        match file.seek_read(to, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                offset += count as u64;
                to = &mut to[count..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_all_at(file: &File, mut offset: u64, mut from: &[u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !from.is_empty() {
        match file.seek_write(from, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                offset += count as u64;
                from = &from[count..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
