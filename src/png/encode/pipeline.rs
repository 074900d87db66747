//! Strips through one thread or several, in and out in order.

use std::thread;

use super::filtering::Filtering;
use super::geometry::Geometry;
use super::queue::{CloseOnDrop, CloseOnPanic, Queue};
use super::strip::Strip;
use crate::Error;
use crate::alloc::reserve;

/// Reads all strips with `read`, compresses them, and hands them to `write` in
/// order. `read` and `write` run in this thread only, which compresses as well
/// while it has to wait; with it there are `threads`, or fewer if they can't
/// be started. `scratch` has the strips for it, at least one.
///
/// What comes out does not depend on the number of threads.
pub(super) fn run(
    geometry: &Geometry,
    filtering: &Filtering<'_>,
    threads: usize,
    scratch: &mut Vec<Strip>,
    mut read: impl FnMut(&mut Strip, u32) -> Result<(), Error>,
    mut write: impl FnMut(&mut Strip) -> Result<(), Error>,
) -> Result<(), Error> {
    let strips = geometry.strips();
    if threads == 1 || strips == 1 {
        let strip = &mut scratch[0];
        for index in 0..strips {
            read(strip, index)?;
            strip.compress(geometry, filtering);
            write(strip)?;
        }
        return Ok(());
    }

    // All memory is had before a thread is started.
    let most = scratch.len();
    let (jobs, done) = (Queue::<Strip>::new(most)?, Queue::<Strip>::new(most)?);
    // Compressed, and not yet written since one before them is missing.
    let mut waiting: Vec<Strip> = Vec::new();
    reserve(&mut waiting, most)?;
    thread::scope(|scope| {
        // Dropped before the scope waits for the threads.
        let _closing = CloseOnDrop(&jobs);
        for _ in 1..threads.min(strips as usize) {
            let work = || {
                // If this thread panics, the one that waits for it must not
                // wait for ever; the scope passes the panic on.
                let _closing = CloseOnPanic(&done);
                while let Some(mut strip) = jobs.pop() {
                    strip.compress(geometry, filtering);
                    done.push(strip);
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
                waiting.extend(std::iter::from_fn(|| done.try_pop()));
                if let Some(at) = waiting.iter().position(|s| s.index() == next_write) {
                    let mut strip = waiting.swap_remove(at);
                    let written = write(&mut strip);
                    free.push(strip);
                    written?;
                    next_write += 1;
                } else if next_read < strips && !free.is_empty() {
                    let mut strip = free.swap_remove(0);
                    let was_read = read(&mut strip, next_read);
                    if was_read.is_err() {
                        free.push(strip);
                        return was_read;
                    }
                    jobs.push(strip);
                    next_read += 1;
                } else if let Some(mut strip) = jobs.try_pop() {
                    strip.compress(geometry, filtering);
                    waiting.push(strip);
                } else if let Some(strip) = done.pop() {
                    // All that was missing was being compressed elsewhere.
                    waiting.push(strip);
                } else {
                    break;
                }
            }
            Ok(())
        })();
        free.append(&mut waiting);
        *scratch = free;
        result
    })
}
