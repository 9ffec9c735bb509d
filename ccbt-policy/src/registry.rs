//! The rules by name: what there is, with which numbers, from where, and how a person chooses among
//! them, one by one or by preset.
//!
//! ```
//! use ccbt_policy::registry::{RULES, Selection};
//!
//! let mut selection = Selection::standard();
//! selection.apply("preset=seed")?;
//! selection.apply("bitfield-timeout=90s")?;
//! selection.apply("no-interest=10s,one-sided")?;
//! selection.apply("starved=on,when-crowded")?;
//! selection.apply("redundant=off")?;
//! assert_eq!(
//!     selection.chosen().collect::<Vec<_>>().join(" "),
//!     "bitfield-timeout=90s no-interest=10s,one-sided health=30s/30s,literal \
//!      starved=180s/600s,when-crowded"
//! );
//! let policy = selection.build();
//! assert_eq!((policy.len(), selection.turnover()), (4, None));
//!
//! for rule in RULES {
//!     println!("{:18} {}", rule.default_spec(), rule.summary);
//! }
//! # Ok::<(), ccbt_policy::registry::SpecError>(())
//! ```

mod duration;
mod info;
mod number;
mod preset;
mod rule_table;
mod selection;
mod spec_error;
mod table;

pub use duration::{DurationError, format_duration, parse_duration};
pub use info::{OptionInfo, Parameter, ParameterKind, RuleInfo};
pub use preset::{PRESETS, PresetInfo};
pub use rule_table::{PRESSURES, RULES, TURNOVER_PARAMETERS};
pub use selection::Selection;
pub use spec_error::SpecError;
pub use table::preset_table;
