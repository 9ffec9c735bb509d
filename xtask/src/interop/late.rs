//! Bars of time, which other work on the machine may break: what misses one is judged again alone.

use std::fmt;

/// Something came too late, or did not come in time; the text says what.
#[derive(Debug)]
pub(super) struct Late(pub(super) String);

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Late {}

/// `ensure!` for what depends on how fast the machine is just now, and for nothing else: what fails is [`Late`].
macro_rules! in_time {
    ($holds:expr, $($told:tt)+) => {
        if !$holds {
            return Err($crate::interop::late::Late(format!($($told)+)).into());
        }
    };
}
pub(super) use in_time;

/// Whether this failure may be the machine's.
pub(super) fn is_late(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Late>())
}
