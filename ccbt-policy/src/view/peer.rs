use std::net::SocketAddr;
use std::time::Duration;

use super::{Availability, Direction, Past, Source};
use crate::Time;
use crate::verdict::earliest;

/// How long an interested peer that we unchoked may take until its first request.
const REQUEST_WAIT: Duration = Duration::from_secs(60);

/// The facts about one connection that a policy may see.
///
/// There is one instant per purpose, never one for two, and what we send moves none of those that
/// tell what the peer did. Fields may be written freely; those that have an instant beside them are
/// better changed by the `set_…` methods, which move the instant exactly when the fact really
/// changes.
///
/// ```
/// use ccbt_policy::{Availability, PeerView, Time};
///
/// let mut peer = PeerView::new("192.0.2.7:6881".parse()?, Time::from_secs(1));
/// peer.set_availability(Time::from_secs(2), Availability::Some);
/// peer.set_wanted(Time::from_secs(2), 3);
/// peer.set_wanted(Time::from_secs(9), 0);
/// assert_eq!(peer.unwanted_since, Some(Time::from_secs(9)));
/// assert!(peer.was_wanted);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
// In this order, so that what most rules ask for lies side by side at the start: judging a million
// peers is a walk through memory.
#[repr(C)]
pub struct PeerView {
    /// When the handshake was complete in both directions.
    pub connected_at: Time,
    /// It has the metadata of the torrent. Until then it may still want that from us (BEP 9).
    pub metadata_done: bool,
    /// Both sides have the fast extension (BEP 6).
    pub fast: bool,
    /// Both sides have the extension protocol (BEP 10).
    pub extended: bool,
    /// It has a DHT node (BEP 5).
    pub dht: bool,
    /// Both sides exchange peers (`ut_pex` of BEP 11).
    pub pex: bool,
    /// The person wants this peer kept.
    pub pinned: bool,
    /// Since when it says that it downloads nothing more (`upload_only` of BEP 21).
    pub upload_only_since: Option<Time>,

    /// When `availability` last changed; `None` while it is unknown.
    pub availability_at: Option<Time>,
    /// What kind of holdings it has announced.
    pub availability: Availability,
    /// `wanted` was above zero at some time on this connection.
    pub was_wanted: bool,
    /// No other peer has some piece that we need and this one has. Brought up to date when a slot
    /// is about to be taken.
    pub sole_holder: bool,
    /// Pieces it has.
    pub have: u32,
    /// Pieces it has that we need. A piece in flight is still needed.
    pub wanted: u32,
    /// Verified pieces of ours that it lacks.
    pub offered: u32,
    /// Since when `wanted` is zero; `None` while it is not, or while availability is unknown.
    pub unwanted_since: Option<Time>,
    /// Since when `offered` is zero; `None` while it is not.
    pub unoffered_since: Option<Time>,
    /// When it last announced a piece that it did not have before. A repeated HAVE does not count.
    pub last_new_have_at: Option<Time>,

    /// We choke the peer.
    pub am_choking: bool,
    /// We are interested in the peer.
    pub am_interested: bool,
    /// The peer chokes us.
    pub peer_choking: bool,
    /// The peer is interested in us.
    pub peer_interested: bool,
    /// It is unchoked to find out what it gives, whatever it gave so far.
    pub optimistic: bool,
    /// Since when `am_choking` is what it is.
    pub am_choking_since: Time,
    /// Since when `am_interested` is what it is.
    pub am_interested_since: Time,
    /// Since when `peer_choking` is what it is. Who let us ask and gave nothing of what was asked has not stopped
    /// to choke us: after that this is what it was before.
    pub peer_choking_since: Time,
    /// Since when `peer_interested` is what it is.
    pub peer_interested_since: Time,

    /// When it last requested a block of us.
    pub last_request_at: Option<Time>,
    /// When it last sent us a block.
    pub last_block_at: Option<Time>,
    /// When we last sent it a block.
    pub last_upload_at: Option<Time>,
    /// When its last message came, whatever it said.
    pub last_message_at: Option<Time>,
    /// Since when it owes us requested blocks for longer than is fair.
    pub snubbed_since: Option<Time>,
    /// Blocks we have requested of it that are still to come.
    pub in_flight: u32,
    /// Rejected requests (BEP 6) since its last block.
    pub consecutive_rejects: u32,
    /// Blocks of it that we could use.
    pub useful_blocks: u64,
    /// Blocks of it that we already had or had not asked for.
    pub wasted_blocks: u64,
    /// Bytes of payload per second that it sends us.
    pub download_rate: u64,
    /// Bytes of payload per second that we send it.
    pub upload_rate: u64,
    /// Bytes of payload that it has sent us on this connection.
    pub downloaded: u64,
    /// Bytes of payload that we have sent it on this connection.
    pub uploaded: u64,
    /// Grows with verified pieces that it had a part in, falls with bad ones.
    pub trust: i8,
    /// A bad piece was its work alone.
    pub proven_liar: bool,
    /// It sends more messages than makes sense.
    pub flood: bool,

    /// The address of the other end.
    pub addr: SocketAddr,
    /// Who opened the connection.
    pub direction: Direction,
    /// Where the address came from.
    pub source: Source,
    /// The peer id of its handshake (BEP 3).
    pub peer_id: [u8; 20],
    /// How many other connections share its address prefix (/24 of IPv4, /64 of IPv6).
    pub same_prefix: u32,
    /// The client name it gave (`v` of BEP 10), or one made from its peer id (BEP 20).
    pub client: Option<Box<str>>,
    /// What earlier connections to its address have left behind.
    pub past: Past,
}

impl PeerView {
    /// A peer whose handshake was complete at `connected_at`, in the start state of BEP 3: both
    /// sides choke, neither is interested, nothing is announced and nothing exchanged. It counts as
    /// dialed by us, its source as `Other`.
    pub fn new(addr: SocketAddr, connected_at: Time) -> Self {
        Self {
            addr,
            direction: Direction::Outgoing,
            source: Source::Other,
            peer_id: [0; 20],
            client: None,
            fast: false,
            extended: false,
            dht: false,
            pex: false,
            pinned: false,
            same_prefix: 0,
            connected_at,
            upload_only_since: None,
            metadata_done: false,
            availability: Availability::Unknown,
            availability_at: None,
            have: 0,
            wanted: 0,
            sole_holder: false,
            was_wanted: false,
            offered: 0,
            unwanted_since: None,
            unoffered_since: Some(connected_at),
            last_new_have_at: None,
            am_choking: true,
            am_choking_since: connected_at,
            am_interested: false,
            am_interested_since: connected_at,
            optimistic: false,
            peer_choking: true,
            peer_choking_since: connected_at,
            peer_interested: false,
            peer_interested_since: connected_at,
            last_request_at: None,
            last_block_at: None,
            last_upload_at: None,
            last_message_at: None,
            in_flight: 0,
            snubbed_since: None,
            consecutive_rejects: 0,
            useful_blocks: 0,
            wasted_blocks: 0,
            download_rate: 0,
            upload_rate: 0,
            downloaded: 0,
            uploaded: 0,
            trust: 0,
            proven_liar: false,
            flood: false,
            past: Past::default(),
        }
    }

    /// The same peer after `change`; lets a test write a view as one expression.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Says what kind of holdings the peer has announced.
    ///
    /// Whoever announces pieces has the metadata, so `Some` and `All` set `metadata_done` too.
    pub fn set_availability(&mut self, now: Time, availability: Availability) {
        if self.availability == availability {
            return;
        }
        self.availability = availability;
        self.availability_at = availability.is_known().then_some(now);
        self.metadata_done |= matches!(availability, Availability::Some | Availability::All);
        self.mark_unwanted(now);
    }

    /// Says how many pieces the peer has that we need.
    pub fn set_wanted(&mut self, now: Time, wanted: u32) {
        self.wanted = wanted;
        self.was_wanted |= wanted > 0;
        self.mark_unwanted(now);
    }

    /// Says how many verified pieces of ours the peer lacks.
    pub fn set_offered(&mut self, now: Time, offered: u32) {
        self.offered = offered;
        if offered > 0 {
            self.unoffered_since = None;
        } else {
            self.unoffered_since.get_or_insert(now);
        }
    }

    /// Says whether we choke the peer.
    pub fn set_am_choking(&mut self, now: Time, choking: bool) {
        switch(&mut self.am_choking, &mut self.am_choking_since, choking, now);
    }

    /// Says whether we are interested in the peer.
    pub fn set_am_interested(&mut self, now: Time, interested: bool) {
        switch(&mut self.am_interested, &mut self.am_interested_since, interested, now);
    }

    /// Says whether the peer chokes us.
    pub fn set_peer_choking(&mut self, now: Time, choking: bool) {
        switch(&mut self.peer_choking, &mut self.peer_choking_since, choking, now);
    }

    /// Says whether the peer is interested in us.
    pub fn set_peer_interested(&mut self, now: Time, interested: bool) {
        switch(&mut self.peer_interested, &mut self.peer_interested_since, interested, now);
    }

    /// Notes a HAVE of a piece that is new for the peer: counts it in `have`, and as availability.
    ///
    /// Leave out repeats. `wanted` and `offered` depend on which piece it is; set them as well.
    pub fn new_have(&mut self, now: Time) {
        self.have = self.have.saturating_add(1);
        self.last_new_have_at = Some(now);
        if self.availability != Availability::All {
            self.set_availability(now, Availability::Some);
        }
    }

    /// Whether the peer's interest in us counts at `now`: it is interested in something that we
    /// have, and either we choke it, or it has requested since we unchoked it, or that is less than
    /// 60 s ago.
    ///
    /// One INTERESTED does not buy a slot for ever.
    pub fn interest_counts(&self, now: Time) -> bool {
        self.uncounted_since().is_none_or(|since| now < since)
    }

    /// Since when the peer's interest in us does not count
    /// ([`interest_counts`](Self::interest_counts)), possibly an instant to come; `None` if it
    /// counts until a fact changes.
    ///
    /// Where several causes hold it is the start of the oldest, which has held all the time since.
    pub fn uncounted_since(&self) -> Option<Time> {
        let mut since = (!self.peer_interested).then_some(self.peer_interested_since);
        if self.offered == 0 {
            since = earliest(since, self.unoffered_since);
        }
        if !self.am_choking && self.last_request_at < Some(self.am_choking_since) {
            since = earliest(since, self.am_choking_since.checked_add(REQUEST_WAIT));
        }
        since
    }

    /// Whether the peer is of use at `now` to either side: it has a piece that we need, or it takes
    /// from us.
    pub fn is_useful(&self, now: Time) -> bool {
        self.wanted > 0 || self.interest_counts(now)
    }

    fn mark_unwanted(&mut self, now: Time) {
        if self.wanted == 0 && self.availability.is_known() {
            self.unwanted_since.get_or_insert(now);
        } else {
            self.unwanted_since = None;
        }
    }
}

fn switch(flag: &mut bool, since: &mut Time, value: bool, now: Time) {
    if *flag != value {
        *flag = value;
        *since = now;
    }
}

#[cfg(test)]
mod tests;
