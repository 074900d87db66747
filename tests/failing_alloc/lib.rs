//! An allocator for tests that fails when it is told to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};

/// The system's allocator, but for some allocations of any thread.
#[derive(Debug)]
pub struct FailingAlloc {
    /// Bytes in the smallest allocation that is counted, and may fail.
    smallest: usize,
    /// How many have been counted.
    count: AtomicUsize,
    /// The first that fails, from 1; 0 for none.
    first: AtomicUsize,
    /// Whether all after it fail too.
    lasting: AtomicBool,
}

impl FailingAlloc {
    /// Returns an allocator that fails nothing yet, and never an allocation
    /// of fewer bytes than `smallest`.
    #[must_use]
    pub const fn new(smallest: usize) -> Self {
        FailingAlloc {
            smallest,
            count: AtomicUsize::new(0),
            first: AtomicUsize::new(0),
            lasting: AtomicBool::new(false),
        }
    }

    /// Makes the `first` allocation from now on fail, counted from 1, and if
    /// `lasting` all that come after it.
    pub fn fail(&self, first: usize, lasting: bool) {
        self.lasting.store(lasting, SeqCst);
        self.count.store(0, SeqCst);
        self.first.store(first, SeqCst);
    }

    /// Makes nothing fail any more. Returns how many allocations were counted.
    pub fn stop(&self) -> usize {
        self.first.store(0, SeqCst);
        self.count.load(SeqCst)
    }

    fn fails(&self, size: usize) -> bool {
        let first = self.first.load(SeqCst);
        if first == 0 || size < self.smallest {
            return false;
        }
        let count = self.count.fetch_add(1, SeqCst) + 1;
        count == first || count > first && self.lasting.load(SeqCst)
    }
}

// SAFETY: each call is passed on to the system's allocator as it is, or returns
// null, which says that there is no memory.
unsafe impl GlobalAlloc for FailingAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.fails(layout.size()) {
            return null_mut();
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if self.fails(layout.size()) {
            return null_mut();
        }
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if new_size > layout.size() && self.fails(new_size) {
            return null_mut();
        }
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}
