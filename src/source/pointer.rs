//! Pointers as sources: a pointer to a source is a source.
//!
//! A pointer that owns its source or borrows it mutably can be written through
//! if the source can. A shared pointer can be written through if the source is
//! a [`SharedPixelSource`].

use std::rc::Rc;
use std::sync::Arc;

use super::{Lease, LeaseMut, PixelSource, PixelSourceMut, SharedPixelSource, SourceError};

macro_rules! pointers {
    ($($pointer:ty,)*) => {$(
        impl<S: PixelSource + ?Sized> PixelSource for $pointer {
            fn lease(&self) -> Result<Lease<'_>, SourceError> {
                (**self).lease()
            }
        }

        impl<S: SharedPixelSource + ?Sized> SharedPixelSource for $pointer {
            fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
                (**self).lease_shared()
            }
        }
    )*};
}

macro_rules! unique_pointers {
    ($($pointer:ty,)*) => {$(
        impl<S: PixelSourceMut + ?Sized> PixelSourceMut for $pointer {
            fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
                (**self).lease_mut()
            }
        }
    )*};
}

macro_rules! shared_pointers {
    ($($pointer:ty,)*) => {$(
        impl<S: SharedPixelSource + ?Sized> PixelSourceMut for $pointer {
            fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
                (**self).lease_shared()
            }
        }
    )*};
}

pointers!(&S, &mut S, Box<S>, Rc<S>, Arc<S>,);
unique_pointers!(&mut S, Box<S>,);
shared_pointers!(&S, Rc<S>, Arc<S>,);
