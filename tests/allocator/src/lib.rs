//! An allocator for tests: counts bytes and allocations, and fails on demand.
//!
//! A package of its own, because an allocator needs `unsafe` and the package
//! of the crate forbids it, tests included.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static CURRENT: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Allocations of this thread so far.
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// The allocation of this thread to fail.
    static FAILING: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The system's allocator, with counters.
#[derive(Debug)]
pub struct TestAllocator;

/// Runs `f` and returns its result and the most bytes that all threads had
/// allocated at once meanwhile, beyond those before.
pub fn peak<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = CURRENT.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = f();
    (result, PEAK.load(Relaxed) - before)
}

/// Runs `f` and returns its result and the number of allocations it made in
/// this thread. A reallocation counts as one.
pub fn count<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = COUNT.get();
    let result = f();
    (result, COUNT.get() - before)
}

/// Runs `f`, whose allocation number `n` (from 0) in this thread fails.
pub fn fail<T>(n: usize, f: impl FnOnce() -> T) -> T {
    struct Disarm;
    impl Drop for Disarm {
        fn drop(&mut self) {
            FAILING.set(usize::MAX);
        }
    }
    let _disarm = Disarm;
    FAILING.set(COUNT.get() + n);
    f()
}

fn fails() -> bool {
    COUNT.set(COUNT.get() + 1);
    COUNT.get() - 1 == FAILING.get()
}

fn add(size: usize) {
    let now = CURRENT.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(now, Relaxed);
}

// SAFETY: each method passes its arguments on to the system's allocator, or
// fails, which every caller has to expect.
unsafe impl GlobalAlloc for TestAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if fails() {
            return std::ptr::null_mut();
        }
        add(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if fails() {
            return std::ptr::null_mut();
        }
        add(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if fails() {
            return std::ptr::null_mut();
        }
        // As if it were moved.
        add(size);
        CURRENT.fetch_sub(layout.size(), Relaxed);
        // SAFETY: see above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CURRENT.fetch_sub(layout.size(), Relaxed);
        // SAFETY: see above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
