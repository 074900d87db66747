//! Pages of documentation: recipes, a comparison with other libraries, speed, the
//! promises of this crate, faults and what they leave on the disk, its design, and its
//! changes.

#[doc = include_str!("cookbook.md")]
pub mod cookbook {}

#[doc = include_str!("comparison.md")]
pub mod comparison {}

// The plots are HTML within the page, so that their text has its color. In
// Markdown a blank line begins and ends HTML.
#[doc = include_str!("performance/overview.md")]
#[doc = ""]
#[doc = include_str!("performance/encoders.svg")]
#[doc = ""]
#[doc = include_str!("performance/frontier.md")]
#[doc = ""]
#[doc = include_str!("performance/frontier.svg")]
#[doc = ""]
#[doc = include_str!("performance/formats.md")]
#[doc = ""]
#[doc = include_str!("performance/formats.svg")]
#[doc = ""]
#[doc = include_str!("performance/saves_again.md")]
#[doc = ""]
#[doc = include_str!("performance/saves_again.svg")]
#[doc = ""]
#[doc = include_str!("performance/producer.md")]
#[doc = ""]
#[doc = include_str!("performance/reading.md")]
pub mod performance {}

#[doc = include_str!("contracts.md")]
pub mod contracts {}

#[doc = include_str!("faults.md")]
pub mod faults {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("../../CHANGELOG.md")]
pub mod changelog {}
