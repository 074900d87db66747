//! Contracts 4 and 7: whatever the caller's `Write` does, the result is an
//! error with the row and the error beneath, or a valid file. Never a panic.

mod common;

use std::cell::Cell;
use std::error::Error as _;
use std::io::{self, ErrorKind::Interrupted, Write};
use std::ops::ControlFlow::Break;
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{decode, noise};
use pixview::metadata::Text;
use pixview::{Compression, Error, ErrorKind, Image, Metadata, PixelFormat, PngEncoder};

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];

fn image() -> Image<Vec<u8>> {
    // Noise, and more than a strip, so that the file is written in pieces.
    let buffer = noise(700 * 600 * 3, 1);
    Image::from_buffer(buffer, 700, 600, PixelFormat::BGR8).unwrap()
}

/// Does as it is told at every call, and counts.
struct Scripted<F> {
    taken: Vec<u8>,
    calls: usize,
    script: F,
}

impl<F: FnMut(usize, &[u8]) -> io::Result<usize>> Scripted<F> {
    fn new(script: F) -> Self {
        Scripted {
            taken: Vec::new(),
            calls: 0,
            script,
        }
    }
}

impl<F: FnMut(usize, &[u8]) -> io::Result<usize>> Write for Scripted<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        let count = (self.script)(self.taken.len(), bytes)?;
        self.taken
            .extend_from_slice(&bytes[..count.min(bytes.len())]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.calls += 1;
        (self.script)(self.taken.len(), &[]).map(drop)
    }
}

fn beneath(error: &Error) -> &io::Error {
    assert!(matches!(error.kind(), ErrorKind::Write(_)), "{error}");
    error.source().unwrap().downcast_ref().unwrap()
}

#[test]
fn short_writes_and_interruptions() {
    let image = image();
    let expected = image.to_png().unwrap();
    assert_eq!(decode(&expected).samples.len(), 700 * 600 * 3);
    for most in [1, 7, 1000] {
        let mut interrupt = false;
        let mut writer = Scripted::new(|_, bytes: &[u8]| {
            interrupt = !interrupt;
            if interrupt {
                return Err(Interrupted.into());
            }
            Ok(bytes.len().min(most))
        });
        image.write_png(&mut writer).unwrap();
        assert!(writer.taken == expected);
    }
}

/// An error of the caller's at every part of the file.
#[test]
fn a_failing_writer() {
    #[derive(Debug, thiserror::Error)]
    #[error("the disk is full at {0}")]
    struct Full(usize);

    let image = image();
    for (mode, threads) in MODES.into_iter().flat_map(|mode| [(mode, 1), (mode, 3)]) {
        let encoder = || PngEncoder::new().compression(mode).threads(threads);
        let whole = encoder().to_png(&image).unwrap();
        let mut rows = Vec::new();
        for limit in (0..whole.len())
            .step_by(whole.len() / 12)
            .chain([whole.len() - 1])
        {
            let mut writer = Scripted::new(|taken, bytes: &[u8]| {
                let room = limit - taken;
                if room == 0 && !bytes.is_empty() {
                    return Err(io::Error::other(Full(limit)));
                }
                Ok(bytes.len().min(room))
            });
            let mut encoder = encoder();
            let error = encoder.write(&image, &mut writer).unwrap_err();
            // The caller's own error, not a copy of its text.
            let full = beneath(&error).get_ref().unwrap().downcast_ref::<Full>();
            assert_eq!(full.unwrap().0, limit);
            assert_eq!(writer.taken, whole[..limit], "nothing else was written");
            rows.extend(error.row());
            assert!(error.path().is_none());
            // The encoder is as good as new.
            assert!(encoder.to_png(&image).unwrap() == whole);
        }
        assert!(
            rows.is_sorted() && rows.iter().all(|&row| row < 600),
            "{rows:?}"
        );
        assert!(
            rows.first() < rows.last(),
            "{mode:?}: the row says where it was: {rows:?}"
        );
    }
}

/// A writer that fails at each byte of a small file with metadata.
#[test]
fn a_writer_that_fails_at_each_byte() {
    let bytes = noise(24 * 12 * 3, 1);
    let image = Image::from_buffer(bytes, 24, 12, PixelFormat::RGB8).unwrap();
    let mut metadata = Metadata::default();
    metadata.text.push(Text::new("Title", "noise"));
    for mode in MODES {
        let mut encoder = PngEncoder::new().compression(mode);
        encoder.configure(|encoder| encoder.metadata(metadata.clone()));
        let whole = encoder.to_png(&image).unwrap();
        assert!(whole.len() > 900);
        for limit in 0..whole.len() {
            let mut writer = Scripted::new(|taken, bytes: &[u8]| {
                if taken == limit && !bytes.is_empty() {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                Ok(bytes.len().min(limit - taken))
            });
            let error = encoder.write(&image, &mut writer).unwrap_err();
            assert_eq!(beneath(&error).kind(), io::ErrorKind::StorageFull);
            assert_eq!(writer.taken, whole[..limit]);
        }
        assert!(encoder.to_png(&image).unwrap() == whole);
    }
}

/// After an error the writer is left alone, whatever destructors want.
#[test]
fn not_called_again_after_an_error() {
    for mode in MODES {
        let mut writer = Scripted::new(|taken, bytes: &[u8]| {
            if taken > 100_000 {
                Err(io::ErrorKind::BrokenPipe.into())
            } else {
                Ok(bytes.len())
            }
        });
        let error = PngEncoder::new()
            .compression(mode)
            .write(&image(), &mut writer)
            .unwrap_err();
        assert_eq!(beneath(&error).kind(), io::ErrorKind::BrokenPipe);
        let (calls, taken) = (writer.calls, writer.taken.len());
        let mut counted = Scripted::new(|taken, bytes: &[u8]| {
            if taken > 100_000 {
                Err(io::ErrorKind::BrokenPipe.into())
            } else {
                Ok(bytes.len())
            }
        });
        let _ = PngEncoder::new()
            .compression(mode)
            .write(&image(), &mut counted);
        assert_eq!((counted.calls, counted.taken.len()), (calls, taken));
        assert!(taken > 100_000 && calls > 1);
    }
    // Nor after an error of the source.
    let mut image = image();
    image.source_mut().truncate(300);
    let mut writer = Scripted::new(|_, bytes: &[u8]| Ok(bytes.len()));
    image.write_png(&mut writer).unwrap_err();
    assert_eq!(writer.calls, 0);
}

#[test]
fn a_failing_flush() {
    let mut writer = Scripted::new(|_, bytes: &[u8]| {
        if bytes.is_empty() {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(bytes.len())
        }
    });
    let error = image().write_png(&mut writer).unwrap_err();
    assert_eq!(beneath(&error).kind(), io::ErrorKind::TimedOut);
    assert_eq!(error.row(), None);
    assert_eq!(error.to_string(), "could not write: timed out");
}

#[test]
fn writers_that_lie() {
    // Takes nothing.
    let error = image().write_png(&mut [0u8; 100][..]).unwrap_err();
    assert_eq!(beneath(&error).kind(), io::ErrorKind::WriteZero);
    // Claims more than it was given.
    let mut writer = Scripted::new(|_, bytes: &[u8]| Ok(bytes.len() + 1));
    let error = image().write_png(&mut writer).unwrap_err();
    assert_eq!(beneath(&error).kind(), io::ErrorKind::InvalidData);
    let mut writer = Scripted::new(|_, _: &[u8]| Ok(usize::MAX));
    assert!(image().write_png(&mut writer).is_err());
}

/// A panic of the caller's goes through as it is. A second one, out of a
/// destructor that writes on, would abort the process.
#[test]
fn a_panicking_writer() {
    for (mode, threads) in MODES.into_iter().flat_map(|mode| [(mode, 1), (mode, 3)]) {
        for limit in [0, 10, 50_000, 800_000] {
            let calls_after = Cell::new(None);
            let mut writer = Scripted::new(|taken, bytes: &[u8]| {
                calls_after.set(calls_after.get().map(|calls: u32| calls + 1));
                if taken >= limit {
                    calls_after.set(Some(calls_after.get().unwrap_or(0)));
                    std::panic::resume_unwind(Box::new("boo"));
                }
                Ok(bytes.len())
            });
            let image = image();
            let mut encoder = PngEncoder::new().compression(mode).threads(threads);
            let save = || encoder.write(&image, &mut writer);
            let caught = catch_unwind(AssertUnwindSafe(save)).unwrap_err();
            assert_eq!(*caught.downcast::<&str>().unwrap(), "boo");
            assert_eq!(calls_after.get(), Some(0), "called again after its panic");
            decode(&encoder.to_png(&image).unwrap());
        }
    }
}

/// A source that panics, and a writer that would panic as well if it were
/// called on the way out.
#[test]
fn a_panicking_source() {
    struct Panicking;
    impl pixview::source::LiveBytes for Panicking {
        fn len(&self) -> usize {
            3000 * 400
        }
        fn element_size(&self) -> usize {
            1
        }
        fn copy_to(
            &self,
            offset: usize,
            to: &mut [u8],
        ) -> Result<(), pixview::source::SourceError> {
            to.copy_from_slice(&noise(to.len(), offset as u64));
            if offset >= 3000 * 350 {
                std::panic::resume_unwind(Box::new("boo"));
            }
            Ok(())
        }
    }
    impl pixview::PixelSource for Panicking {
        fn lease(&self) -> Result<pixview::source::Lease<'_>, pixview::source::SourceError> {
            Ok(pixview::source::Lease::live(Panicking))
        }
    }
    for mode in MODES {
        let mut writer = Scripted::new(|_, bytes: &[u8]| {
            assert!(!std::thread::panicking(), "called on the way out");
            Ok(bytes.len())
        });
        let image = Image::from_buffer(Panicking, 3000, 400, PixelFormat::GRAY8).unwrap();
        let mut encoder = PngEncoder::new().compression(mode).threads(2);
        let save = || encoder.write(&image, &mut writer);
        let caught = catch_unwind(AssertUnwindSafe(save)).unwrap_err();
        assert_eq!(*caught.downcast::<&str>().unwrap(), "boo");
    }
}

/// A writer that looks at the image while it is being saved.
#[test]
fn a_writer_that_reads_the_image() {
    let image = image();
    let mut looks = 0;
    let mut writer = Scripted::new(|_, bytes: &[u8]| {
        looks += 1;
        image.pixels().unwrap().get(0, 0).unwrap();
        image.view().crop(0, 0, 3, 3).unwrap().to_png().unwrap();
        Ok(bytes.len())
    });
    image.write_png(&mut writer).unwrap();
    decode(&writer.taken);
    assert!(looks > 1);
}

/// A save inside a `Read` or a `Write`: an error of it, such as that of a
/// cancelled one, is no reason to call again.
#[test]
fn errors_are_not_retried() {
    struct Saving {
        calls: u32,
        save: fn() -> Result<(), Error>,
    }
    impl Saving {
        fn save(&mut self) -> io::Result<usize> {
            self.calls += 1;
            assert!(self.calls == 1, "called again after its error");
            (self.save)()?;
            Ok(1)
        }
    }
    impl io::Read for Saving {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.save()
        }
    }
    impl Write for Saving {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.save()
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let cancelled = || {
        let mut encoder = PngEncoder::new().on_progress(|_| Break(()));
        encoder.write(&image(), io::sink()).map(drop)
    };
    let interrupted = || Err(ErrorKind::Write(Interrupted.into()).into());
    for save in [cancelled, interrupted] {
        let saving = || Saving { calls: 0, save };
        let errors = [
            io::copy(&mut saving(), &mut io::sink()).unwrap_err(),
            io::copy(&mut &[1u8][..], &mut saving()).unwrap_err(),
            io::Read::read_exact(&mut saving(), &mut [0; 9]).unwrap_err(),
            io::Read::read_to_end(&mut saving(), &mut Vec::new()).unwrap_err(),
            saving().write_all(&[0; 9]).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), io::ErrorKind::Other);
            let beneath = error.get_ref().unwrap().downcast_ref::<Error>();
            assert!(beneath.is_some());
        }
    }
}

/// As an `io::Error`, for functions that return one.
#[test]
fn into_io_error() {
    let mut writer = Scripted::new(|_, _: &[u8]| Err(io::ErrorKind::StorageFull.into()));
    let error: io::Error = image().write_png(&mut writer).unwrap_err().into();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    let error: io::Error = Image::new(0, 0, PixelFormat::GRAY8).unwrap_err().into();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}
