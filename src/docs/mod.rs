//! Pages of documentation: what this crate promises, how it works inside, and
//! what has changed.

#[doc = include_str!("contracts.md")]
pub mod contracts {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("../../CHANGELOG.md")]
pub mod changelog {}
