//! What goes wrong, and when.

use std::time::Duration;

/// Something that befalls a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// A source names addresses to it, and will again.
    Announce(usize),
    /// It comes to one of us, and will again.
    Come(usize),
    /// One of its wires is cut.
    Cut(usize),
    /// One of its wires is dead, and nobody is told.
    Dead(usize),
    /// One of its wires stands still for a time.
    Stall(usize, Duration),
    /// It ends without a word, and begins again so much later with what was stored.
    Crash(usize, Duration),
    /// Its next write fails, so that it stops; and begins again so much later.
    DiskBreaks(usize, Duration),
    /// From now on it has descriptors for so many connections, until it begins again.
    FewDescriptors(usize, usize),
    /// It begins again.
    Start(usize),
}
