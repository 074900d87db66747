//! Tests of the views of other crates' images, one module for each feature, and
//! recipes for crates that need no feature.
#![cfg(test)]

mod common;
mod embedded_graphics;
mod image;
mod imgref;
mod memory;
mod ndarray;
mod recipes;
mod rgb;
