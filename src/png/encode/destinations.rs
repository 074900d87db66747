//! The public methods that save an image: to a path, to a `Write`, to a `Vec`.

use std::io::{self, Write};
use std::path::Path;

use super::chunk_writer::Output;
use super::encoder::PngEncoder;
use super::known_files::KnownStrips;
use super::report::SaveReport;
use crate::{Error, ErrorKind, Image, PixelSource, file};

/// Saves.
impl PngEncoder {
    /// Saves the pixels that are in the buffer now as a PNG file, and replaces
    /// `path` atomically.
    ///
    /// The file is written under a temporary name in the same folder, and
    /// renamed when it is complete. Whoever opens `path` sees the old file or
    /// the new one. If the save fails, or code of the caller panics, the old
    /// file is untouched and the temporary file is removed. A process that is
    /// killed leaves the temporary file behind; its name begins with `.pixview-`
    /// and ends in `.tmp`.
    ///
    /// - **Extension.** `.png` in any case, or none. Other extensions are an
    ///   error.
    /// - **The folder** must be one in which a file can be created, even if `path`
    ///   exists and could be written. The folder is opened at the start: if it is
    ///   renamed during the save, the file is in the renamed folder.
    ///   (Only on Unix. Elsewhere the save fails and the temporary file stays.)
    ///   Names, paths and working directories may be as long and as deep as
    ///   [`File::create`](std::fs::File::create) allows.
    /// - **An existing file** must be one that could be opened for writing: a
    ///   read-only file is not replaced. Nothing is written to it, so processes
    ///   that watch it see no write. Other hard links to it keep the old
    ///   content. A file that is a mount of its own, such as a file bound into a
    ///   container, cannot be replaced: the save fails at its end with
    ///   [`ResourceBusy`](std::io::ErrorKind::ResourceBusy). Use
    ///   [`write`](PngEncoder::write) for such a file.
    /// - **Permissions** of an existing file stay. So do its owner and its
    ///   group, as far as the system allows, and on Linux its POSIX access
    ///   control list. Nobody new gets access to the file. If the group cannot
    ///   stay, group and others get only the permissions that both had; if the
    ///   file also had a list, only the owner keeps permissions. The set-user-ID,
    ///   set-group-ID and sticky bits stay only if owner and group both stay. A
    ///   default list of the folder applies to new files only. Other extended
    ///   attributes are lost. So are lists that the system inherits by its own
    ///   rules (NFS version 4, SMB, Windows, macOS, the BSDs): a replaced file
    ///   there may get the list of its folder.
    /// - **A symbolic link** is followed, and its target is replaced, or created
    ///   if it does not exist. The extension is that of the link.
    /// - **A pipe or a device** cannot be replaced; it is written to. Opening a
    ///   named pipe blocks until another process opens it for reading. A
    ///   directory is an error. So is `/dev/stdout` if it stands for an open
    ///   file: use [`write`](PngEncoder::write) for that.
    ///
    /// Errors that the system reports when the file is closed are errors of the
    /// save, and the old file stays: NFS and other file systems report a full
    /// disk only then. (Only on Unix: elsewhere the standard library does not
    /// report them.) Nothing is synced to the disk unless
    /// [`sync`](PngEncoder::sync) demands it: after a loss of power the file may be
    /// the old one or, on some file systems, damaged.
    /// [The table of faults](crate::docs::faults) lists faults of every kind, and
    /// what each leaves on the disk.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::UnknownExtension`], [`ErrorKind::Metadata`], and for indexed
    ///   images [`ErrorKind::NoPalette`] and [`ErrorKind::PaletteDepth`], before
    ///   a pixel is read;
    /// - [`ErrorKind::IndexOutside`] if an index is beyond the palette;
    /// - [`ErrorKind::Source`], with the row, if the source cannot be read, or if
    ///   its length has changed since the creation of the image;
    /// - [`ErrorKind::Torn`] if a save that copies the frame first, with
    ///   [`Consistency::Snapshot`](super::Consistency::Snapshot) or
    ///   [`reduce`](PngEncoder::reduce), got no copy without an edit;
    /// - [`ErrorKind::Write`] with the [`std::io::Error`];
    /// - [`ErrorKind::FolderSync`] with [`sync`](PngEncoder::sync), after the new
    ///   file has got its name;
    /// - [`ErrorKind::Cancelled`]: see [`on_progress`](PngEncoder::on_progress);
    /// - [`ErrorKind::OutOfMemory`] and [`ErrorKind::TooLarge`] if there is no
    ///   memory for a few rows, or for a copy of the frame.
    ///
    /// Each error names the path.
    pub fn save<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        path: impl AsRef<Path>,
    ) -> Result<SaveReport, Error> {
        let path = path.as_ref();
        let prepared = self.prepare(image);
        prepared
            .and_then(|prepared| {
                file::replace(path, self.sync, |writer| {
                    self.encode(image, &prepared, &mut Output::Writer(writer))
                })
            })
            .map_err(|error| error.at_path(path))
    }

    /// Saves the pixels that are in the buffer now as a PNG file, unless the file
    /// at `path` has exactly these bytes already. In that case nothing is
    /// written, the file keeps its times of modification and change, and
    /// [`SaveReport::unchanged`] is true. The file also keeps the time of its
    /// last access if the system allows that: on Linux, to the owner of the file
    /// and to privileged processes.
    ///
    /// The encoder recognizes the last 16 files that it has saved or compared with
    /// this method, unless they have been touched since. If such a file and the
    /// image have not changed, the save costs a digest of the pixels, and compares
    /// only the chunks around the image data and the end of the image data. A file
    /// that the encoder does not recognize is compared with the new bytes while the
    /// save makes them. At the first difference the save goes on in a temporary
    /// file, which replaces the old file at the end by the rules of
    /// [`save`](PngEncoder::save).
    ///
    /// A pipe or a device is written to, as by [`save`](PngEncoder::save). An
    /// existing file that cannot be read is replaced.
    ///
    /// A file counts as touched if another file has its name, or if its length or
    /// one of its times of modification and change (of modification and creation
    /// on systems other than Unix) differs. So these changes by other processes
    /// go unnoticed:
    ///
    /// - a change of the same length within one tick of the file system's clock
    ///   after the save (10 ms or less on Linux, 2 s on FAT);
    /// - a change through a memory mapping that the system has not stored yet;
    /// - on systems other than Unix, a change of the same length by a program
    ///   that sets the time of modification back.
    ///
    /// # Errors
    ///
    /// The errors of [`save`](PngEncoder::save). If another process writes to the
    /// file while it is compared, or changes its permissions or links, the save
    /// fails with [`ErrorKind::Write`] and
    /// [`ResourceBusy`](std::io::ErrorKind::ResourceBusy), and leaves the file as
    /// it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat, PngEncoder};
    ///
    /// # let folder = std::env::temp_dir().join(format!("pixview-if-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("chart.png");
    /// let mut image = Image::new(300, 200, PixelFormat::RGB8)?;
    /// let mut encoder = PngEncoder::new();
    /// assert!(!encoder.save_if_changed(&image, &path)?.unchanged);
    /// assert!(encoder.save_if_changed(&image, &path)?.unchanged);
    /// image.pixels_mut()?.put(7, 7, [255, 0, 0])?;
    /// assert!(!encoder.save_if_changed(&image, &path)?.unchanged);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn save_if_changed<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        path: impl AsRef<Path>,
    ) -> Result<SaveReport, Error> {
        let path = path.as_ref();
        self.kept.make_seeds();
        let prepared = self.prepare(image);
        let saved = prepared.and_then(|prepared| {
            file::replace_if_changed(path, self.sync, |file| {
                let known = file.identity();
                let known = known.and_then(|identity| self.known_files.take(path, identity));
                self.old_file = known.unwrap_or_default();
                self.old_file.begin();
                self.encode(image, &prepared, &mut Output::File(file))
            })
        });
        self.old_file = KnownStrips::default();
        let (report, outcome) = saved.map_err(|error| error.at_path(path))?;
        if let Some(identity) = outcome.identity {
            let strips = std::mem::take(&mut self.new_file);
            self.known_files.remember(path, identity, strips);
        }
        Ok(SaveReport {
            unchanged: outcome.unchanged,
            ..report
        })
    }

    /// Saves the pixels that are in the buffer now as a new PNG file. Never
    /// replaces a file.
    ///
    /// Fails with [`ErrorKind::FileExists`] if anything exists at `path`: a file,
    /// a directory, a pipe, or a symbolic link, even one that leads to nothing.
    /// The save checks this before it reads a pixel. At its end it gives the
    /// complete file its name in one step of the file system, which fails if the
    /// name has been taken meanwhile. So processes that number their files never
    /// overwrite one another, and whoever opens a new file finds it complete.
    ///
    /// Some file systems can neither rename a file without replacement nor make
    /// hard links: a few in user space (FUSE), and FAT and exFAT on Windows.
    /// There the save creates an empty file under the name, which fails if the
    /// name is taken, and renames the complete file over the empty one. Between
    /// these two steps other processes see the empty file, and a kill leaves it
    /// behind. If another process replaces the empty file between the two steps,
    /// its file may be lost.
    ///
    /// The rules of [`save`](PngEncoder::save) for extensions, folders, temporary
    /// files, permissions of new files, and errors at close apply.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FileExists`], and the errors of [`save`](PngEncoder::save).
    /// Each error names the path.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{ErrorKind, Image, PixelFormat, PngEncoder};
    ///
    /// # let folder = std::env::temp_dir().join(format!("pixview-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let image = Image::new(4, 4, PixelFormat::GRAY8)?;
    /// let mut encoder = PngEncoder::new();
    /// // Saves under the first free number.
    /// let mut number = 0;
    /// loop {
    ///     let path = folder.join(format!("shot{number}.png"));
    ///     match encoder.save_new(&image, path) {
    ///         Err(error) if matches!(error.kind(), ErrorKind::FileExists) => number += 1,
    ///         result => {
    ///             result?;
    ///             break;
    ///         }
    ///     }
    /// }
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn save_new<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        path: impl AsRef<Path>,
    ) -> Result<SaveReport, Error> {
        let path = path.as_ref();
        let prepared = self.prepare(image);
        prepared
            .and_then(|prepared| {
                file::create_new(path, self.sync, |writer| {
                    self.encode(image, &prepared, &mut Output::Writer(writer))
                })
            })
            .map_err(|error| error.at_path(path))
    }

    /// Writes the pixels that are in the buffer now as a PNG stream. The writer
    /// needs no buffer of its own, is never asked to seek, and is flushed at the
    /// end.
    ///
    /// After an error the writer has received a part of a file, or nothing. It
    /// is not called again.
    ///
    /// # Errors
    ///
    /// The errors of [`save`](PngEncoder::save), without a path. A writer that
    /// takes no bytes is an error, as in [`Write::write_all`].
    pub fn write<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        mut writer: impl Write,
    ) -> Result<SaveReport, Error> {
        let prepared = self.prepare(image)?;
        self.encode(image, &prepared, &mut Output::Writer(&mut writer))
    }

    /// Returns the pixels that are in the buffer now as the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// The errors of [`save`](PngEncoder::save), without a path.
    pub fn to_png<S: PixelSource>(&mut self, image: &Image<S>) -> Result<Vec<u8>, Error> {
        let mut png = FallibleVec::default();
        match self.write(image, &mut png) {
            Ok(_) => Ok(png.bytes),
            Err(error) => Err(match png.refused {
                Some(bytes) => ErrorKind::OutOfMemory { bytes }.into(),
                None => error,
            }),
        }
    }
}

/// Saving with the default options. A [`PngEncoder`] takes other options, and keeps
/// its memory from save to save.
impl<S: PixelSource> Image<S> {
    /// Saves the pixels that are in the buffer now as a PNG file, and replaces
    /// `path` atomically. The image and its source stay as they are.
    ///
    /// [`PngEncoder::save`] has the details.
    ///
    /// # Errors
    ///
    /// The errors of [`PngEncoder::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        PngEncoder::new().save(self, path).map(drop)
    }

    /// Writes the pixels that are in the buffer now as a PNG stream.
    ///
    /// # Errors
    ///
    /// The errors of [`PngEncoder::write`].
    pub fn write_png(&self, writer: impl Write) -> Result<(), Error> {
        PngEncoder::new().write(self, writer).map(drop)
    }

    /// Returns the pixels that are in the buffer now as the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// The errors of [`PngEncoder::to_png`].
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        PngEncoder::new().to_png(self)
    }
}

/// A `Vec` that reports an allocation that fails, instead of aborting.
#[derive(Default)]
struct FallibleVec {
    bytes: Vec<u8>,
    /// The size that could not be allocated.
    refused: Option<u64>,
}

impl Write for FallibleVec {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.bytes.try_reserve(bytes.len()) {
            self.refused = Some((self.bytes.len() + bytes.len()) as u64);
            return Err(error.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
