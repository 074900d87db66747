//! ISA-L, a library in C and assembly: see `igzip_lib.h`.

use std::ptr;

/// The part of `struct isal_zstream` that its users fill in, and room for the
/// state behind it.
#[repr(C, align(64))]
struct Stream {
    next_in: *const u8,
    avail_in: u32,
    total_in: u32,
    next_out: *mut u8,
    avail_out: u32,
    total_out: u32,
    hufftables: *mut u8,
    level: u32,
    level_buf_size: u32,
    level_buf: *mut u8,
    end_of_stream: u16,
    flush: u16,
    gzip_flag: u16,
    hist_bits: u16,
    // It takes less than 100 KiB.
    state: [u8; 256 << 10],
}

#[link(name = "isal")]
unsafe extern "C" {
    fn isal_deflate_stateless_init(stream: *mut Stream);
    fn isal_deflate_stateless(stream: *mut Stream) -> i32;
}

/// A compressor of one level, from 0 to 3.
pub struct Isal {
    stream: Box<Stream>,
    level: u32,
    memory: Vec<u8>,
}

impl Isal {
    pub fn new(level: u32) -> Self {
        // SAFETY: all zeros are a valid value of every field.
        let stream = unsafe { Box::<Stream>::new_zeroed().assume_init() };
        // The largest `ISAL_DEF_LVLx_EXTRA_LARGE` is smaller.
        let memory = vec![0; if level == 0 { 0 } else { 2 << 20 }];
        Isal {
            stream,
            level,
            memory,
        }
    }

    /// Compresses to a stream without a wrapper and returns the bytes written.
    pub fn run(&mut self, data: &[u8], out: &mut [u8]) -> usize {
        let stream = ptr::from_mut(&mut *self.stream);
        // SAFETY: the stream is large enough; the pointers are valid for the sizes
        // beside them as long as the calls take.
        let code = unsafe {
            isal_deflate_stateless_init(stream);
            (*stream).level = self.level;
            (*stream).level_buf = self.memory.as_mut_ptr();
            (*stream).level_buf_size = self.memory.len() as u32;
            (*stream).end_of_stream = 1;
            (*stream).next_in = data.as_ptr();
            (*stream).avail_in = data.len() as u32;
            (*stream).next_out = out.as_mut_ptr();
            (*stream).avail_out = out.len() as u32;
            isal_deflate_stateless(stream)
        };
        assert_eq!((code, self.stream.avail_in), (0, 0));
        self.stream.total_out as usize
    }
}
