//! Pages of documentation: recipes, a comparison with other libraries, speed, the
//! promises of this crate, its design, and its changes.

#[doc = include_str!("cookbook.md")]
pub mod cookbook {}

#[doc = include_str!("comparison.md")]
pub mod comparison {}

// The plots are HTML within the page, so that their text has its color.
#[doc = include_str!("performance/overview.md")]
#[doc = include_str!("performance/encoders.svg")]
#[doc = include_str!("performance/formats.md")]
#[doc = include_str!("performance/formats.svg")]
#[doc = include_str!("performance/saves_again.md")]
#[doc = include_str!("performance/saves_again.svg")]
#[doc = include_str!("performance/producer.md")]
#[doc = ""]
#[doc = include_str!("performance/reading.md")]
pub mod performance {}

#[doc = include_str!("contracts.md")]
pub mod contracts {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("../../CHANGELOG.md")]
pub mod changelog {}
