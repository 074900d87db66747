//! Pages of documentation: recipes, a comparison with other libraries, speed, the
//! promises of this crate, its design, and its changes.

#[doc = include_str!("cookbook.md")]
pub mod cookbook {}

#[doc = include_str!("comparison.md")]
pub mod comparison {}

#[doc = include_str!("performance.md")]
pub mod performance {}

#[doc = include_str!("contracts.md")]
pub mod contracts {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("../../CHANGELOG.md")]
pub mod changelog {}
