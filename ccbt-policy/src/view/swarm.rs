use crate::Time;

/// The facts about all connections of one torrent that a policy may see.
///
/// The instants, `private` and `crowded` are its modes: a scheduler judges every peer anew when one
/// of them changes. The rest changes all the time and is looked at when a peer is judged for
/// another cause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwarmView {
    /// When the metadata was known. `None` while a magnet link still waits for it (BEP 9).
    pub metadata_at: Option<Time>,
    /// When the files were checked, so that we know what we need; `None` before.
    pub checked_at: Option<Time>,
    /// Since when we need nothing more; `None` while we download.
    pub upload_only_since: Option<Time>,
    /// Pieces we have verified.
    pub have: u32,
    /// Pieces we need.
    pub need: u32,
    /// Connections that hold a slot.
    pub peers: u32,
    /// How many connections may hold a slot.
    pub limit: u32,
    /// Slots that nobody holds.
    pub free_slots: u32,
    /// 90 % of the limit is used, or was and has not fallen to 80 % since.
    pub crowded: bool,
    /// Connections that have passed their handshake and wait for a slot.
    pub newcomers: u32,
    /// The torrent is private (BEP 27).
    pub private: bool,
    /// Every needed block is requested.
    pub endgame: bool,
    /// The median of what the peers are worth, on the scale of the ranking in use; `None` without
    /// one.
    pub median_worth: Option<u64>,
}

impl SwarmView {
    /// A swarm without peers that downloads; its metadata was known and its files checked at
    /// [`Time::ZERO`].
    pub fn new() -> Self {
        Self {
            metadata_at: Some(Time::ZERO),
            checked_at: Some(Time::ZERO),
            upload_only_since: None,
            have: 0,
            need: 0,
            peers: 0,
            limit: 0,
            free_slots: 0,
            crowded: false,
            newcomers: 0,
            private: false,
            endgame: false,
            median_worth: None,
        }
    }

    /// The same swarm after `change`; lets a test write a view as one expression.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Whether there is still something that we need.
    pub fn leeching(&self) -> bool {
        self.upload_only_since.is_none()
    }

    /// Whether `other` is in another mode, so that every verdict may be another one.
    pub(crate) fn differs_in_mode(&self, other: &Self) -> bool {
        let mode =
            |s: &Self| (s.metadata_at, s.checked_at, s.upload_only_since, s.private, s.crowded);
        mode(self) != mode(other)
    }
}

impl Default for SwarmView {
    fn default() -> Self {
        Self::new()
    }
}
