//! Small stories about peers, each in virtual time and for all presets for which it holds.
//!
//! Times are milliseconds since the handshake, or the letter says otherwise.

mod abuse;
mod availability;
mod capacity;
mod founding;
mod interest;
mod memory;
mod scene;
