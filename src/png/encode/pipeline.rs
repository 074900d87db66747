//! Strips: read and written in order, compressed in one thread or several.

use std::thread;

use super::strip::Strip;
use crate::Error;
use crate::alloc::reserve;
use crate::png::queue::{CloseOnDrop, CloseOnPanic, Queue};

/// Passes `strips` strips through the three steps: `read`, `compress` and `write`.
///
/// `read` and `write` run in the caller's thread, in the order of the strips.
/// `compress` runs in any thread, also in the caller's when it would otherwise
/// wait. `threads` counts all threads, the caller's included. If threads cannot
/// be started, fewer do the work. `scratch` has the strips to work with, at least
/// one.
pub(super) fn run(
    strips: u32,
    threads: usize,
    scratch: &mut Vec<Strip>,
    mut read: impl FnMut(&mut Strip, u32) -> Result<(), Error>,
    compress: impl Fn(&mut Strip) + Sync,
    mut write: impl FnMut(&mut Strip) -> Result<(), Error>,
) -> Result<(), Error> {
    if threads == 1 || strips == 1 {
        let strip = &mut scratch[0];
        for index in 0..strips {
            read(strip, index)?;
            compress(strip);
            write(strip)?;
        }
        return Ok(());
    }

    // All memory is allocated before a thread is started.
    let capacity = scratch.len();
    let uncompressed = Queue::<Strip>::new(capacity)?;
    let compressed = Queue::<Strip>::new(capacity)?;
    // Compressed strips that cannot be written before an earlier strip is.
    let mut unwritten: Vec<Strip> = Vec::new();
    reserve(&mut unwritten, capacity)?;
    thread::scope(|scope| {
        // Dropped before the scope waits for the threads.
        let _closing = CloseOnDrop(&uncompressed);
        for _ in 1..threads.min(strips as usize) {
            let work = || {
                // If this thread panics, the caller's thread must not wait for
                // it forever. The scope passes the panic on.
                let _closing = CloseOnPanic(&compressed);
                while let Some(mut strip) = uncompressed.pop() {
                    compress(&mut strip);
                    compressed.push(strip);
                }
            };
            let started = thread::Builder::new()
                .name("pixview".to_owned())
                .spawn_scoped(scope, work);
            if started.is_err() {
                break;
            }
        }

        let mut free = std::mem::take(scratch);
        let (mut next_read, mut next_write) = (0, 0);
        let result = (|| {
            while next_write < strips {
                unwritten.extend(std::iter::from_fn(|| compressed.try_pop()));
                if let Some(at) = unwritten.iter().position(|s| s.index() == next_write) {
                    let mut strip = unwritten.swap_remove(at);
                    let write_result = write(&mut strip);
                    free.push(strip);
                    write_result?;
                    next_write += 1;
                } else if next_read < strips && !free.is_empty() {
                    let mut strip = free.swap_remove(0);
                    let read_result = read(&mut strip, next_read);
                    if read_result.is_err() {
                        free.push(strip);
                        return read_result;
                    }
                    uncompressed.push(strip);
                    next_read += 1;
                } else if let Some(mut strip) = uncompressed.try_pop() {
                    compress(&mut strip);
                    unwritten.push(strip);
                } else if let Some(strip) = compressed.pop() {
                    // Other threads were compressing all missing strips.
                    unwritten.push(strip);
                } else {
                    break;
                }
            }
            Ok(())
        })();
        free.append(&mut unwritten);
        *scratch = free;
        result
    })
}
