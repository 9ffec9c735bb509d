//! Views as real connections make them: from a start, by one change after another.

use ccbt_policy::rules::{BitfieldTimeout, Health, NoInterest, Redundant};
use ccbt_policy::{
    Availability, DryRun, Exempt, OnlyWhile, PeerView, PolicySet, SwarmView, Time, WhenCrowded,
};
use proptest::prelude::*;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Availability(Availability),
    Wanted(u32),
    Offered(u32),
    AmChoking(bool),
    PeerInterested(bool),
    NewHave,
    Request,
    UploadOnly,
    MetadataDone,
}

impl Change {
    pub(crate) fn apply(self, peer: &mut PeerView, now: Time) {
        match self {
            Self::Availability(availability) => peer.set_availability(now, availability),
            Self::Wanted(wanted) => peer.set_wanted(now, wanted),
            Self::Offered(offered) => peer.set_offered(now, offered),
            Self::AmChoking(choking) => peer.set_am_choking(now, choking),
            Self::PeerInterested(interested) => peer.set_peer_interested(now, interested),
            Self::NewHave => peer.new_have(now),
            Self::Request => peer.last_request_at = Some(now),
            Self::UploadOnly => peer.upload_only_since = Some(now),
            Self::MetadataDone => peer.metadata_done = true,
        }
    }
}

pub(crate) fn changes() -> impl Strategy<Value = Change> {
    use Availability::{All, None, Some};
    prop_oneof![
        prop_oneof![Just(None), Just(Some), Just(All)].prop_map(Change::Availability),
        (0..3_u32).prop_map(Change::Wanted),
        (0..2_u32).prop_map(Change::Offered),
        any::<bool>().prop_map(Change::AmChoking),
        any::<bool>().prop_map(Change::PeerInterested),
        Just(Change::NewHave),
        Just(Change::Request),
        Just(Change::UploadOnly),
        Just(Change::MetadataDone),
    ]
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum SwarmChange {
    Metadata,
    Checked,
    Complete(bool),
    Crowded(bool),
    Peers(u32),
}

impl SwarmChange {
    pub(crate) fn apply(self, swarm: &mut SwarmView, now: Time) {
        match self {
            Self::Metadata => swarm.metadata_at = Some(now),
            Self::Checked => swarm.checked_at = Some(now),
            Self::Complete(complete) => swarm.upload_only_since = complete.then_some(now),
            Self::Crowded(crowded) => swarm.crowded = crowded,
            Self::Peers(peers) => swarm.peers = peers,
        }
    }
}

pub(crate) fn swarm_changes() -> impl Strategy<Value = SwarmChange> {
    prop_oneof![
        Just(SwarmChange::Metadata),
        Just(SwarmChange::Checked),
        any::<bool>().prop_map(SwarmChange::Complete),
        any::<bool>().prop_map(SwarmChange::Crowded),
        any::<u32>().prop_map(SwarmChange::Peers),
    ]
}

/// Waits of whole half seconds, so that instants often coincide, or of any length.
pub(crate) fn waits() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (0..80_u64).prop_map(|halves| Duration::from_millis(halves * 500)),
        1 => (0..100_000_000_u64).prop_map(Duration::from_micros),
    ]
}

pub(crate) fn newcomer(fast: bool, now: Time) -> PeerView {
    PeerView::new(([192, 0, 2, 1], 6881).into(), now).with(|peer| peer.fast = fast)
}

pub(crate) fn start_of_swarm() -> impl Strategy<Value = SwarmView> {
    any::<(bool, bool)>().prop_map(|(metadata, checked)| {
        SwarmView::new().with(|swarm| {
            swarm.metadata_at = metadata.then_some(Time::ZERO);
            swarm.checked_at = checked.then_some(Time::ZERO);
        })
    })
}

/// A peer and its swarm after a while.
pub(crate) fn views() -> impl Strategy<Value = (PeerView, SwarmView)> {
    let peer = (any::<bool>(), prop::collection::vec((waits(), changes()), 0..12)).prop_map(
        |(fast, changes)| {
            let mut now = Time::from_secs(1);
            let mut peer = newcomer(fast, now);
            for (wait, change) in changes {
                now = now + wait;
                change.apply(&mut peer, now);
            }
            peer
        },
    );
    let swarm = (start_of_swarm(), prop::collection::vec((waits(), swarm_changes()), 0..4))
        .prop_map(|(mut swarm, changes)| {
            let mut now = Time::ZERO;
            for (wait, change) in changes {
                now = now + wait;
                change.apply(&mut swarm, now);
            }
            swarm
        });
    (peer, swarm)
}

/// Sets of the rules, plain, one-sided and wrapped.
pub(crate) fn policies() -> impl Strategy<Value = PolicySet> {
    prop::collection::vec(0..9_u8, 0..6)
        .prop_map(|members| members.into_iter().fold(PolicySet::new(), with_member))
}

pub(crate) fn with_member(set: PolicySet, member: u8) -> PolicySet {
    match member {
        0 => set.with(BitfieldTimeout::default()),
        1 => set.with(NoInterest::default()),
        2 => set.with(NoInterest::default().one_sided()),
        3 => set.with(Health::default()),
        4 => set.with(Health::default().one_sided()),
        5 => set.with(Redundant::default()),
        6 => set.with(WhenCrowded::new(NoInterest::new(Duration::from_secs(3)))),
        7 => set.with(DryRun::new(BitfieldTimeout::new(Duration::from_secs(20)))),
        _ => set.with(Exempt::new(OnlyWhile::leeching(Health::default()), |peer| peer.fast)),
    }
}
