//! A queue between threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::Error;
use crate::alloc::reserve;

/// A queue from which several threads take items, until it is closed.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// Notified when an item is added or the queue is closed.
    changed: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    is_closed: bool,
}

impl<T> Queue<T> {
    /// Makes a queue for at most `capacity` items. A push beyond them could
    /// allocate, which could abort the process.
    pub(super) fn new(capacity: usize) -> Result<Self, Error> {
        let mut items = Vec::new();
        reserve(&mut items, capacity)?;
        Ok(Queue {
            state: Mutex::new(State {
                items: VecDeque::from(items), // keeps the capacity
                is_closed: false,
            }),
            changed: Condvar::new(),
        })
    }

    /// Appends an item, and wakes one waiting thread.
    pub(super) fn push(&self, item: T) {
        self.lock().items.push_back(item);
        self.changed.notify_one();
    }

    /// Removes and returns the oldest item, or `None` if the queue is empty. Does
    /// not wait.
    pub(super) fn try_pop(&self) -> Option<T> {
        self.lock().items.pop_front()
    }

    /// Waits for an item, and removes and returns the oldest. Returns `None` if
    /// the queue is closed, even if items are left.
    pub(super) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(item) = state.items.pop_front() {
                return Some(item);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Closes the queue and wakes all waiting threads.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Locks the state. A poisoned lock is ignored: no code that could panic runs
    /// under it.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guard that closes a queue if it is dropped during a panic.
pub(super) struct CloseOnPanic<'q, T>(pub(super) &'q Queue<T>);

impl<T> Drop for CloseOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close();
        }
    }
}

/// A guard that closes a queue when it is dropped.
pub(super) struct CloseOnDrop<'q, T>(pub(super) &'q Queue<T>);

impl<T> Drop for CloseOnDrop<'_, T> {
    fn drop(&mut self) {
        self.0.close();
    }
}
