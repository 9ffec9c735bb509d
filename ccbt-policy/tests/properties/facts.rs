//! Views as real connections make them: from a start, by one change after another.

use ccbt_policy::registry::{PRESETS, RULES, Selection};
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
    AmInterested(bool),
    PeerChoking(bool),
    Block,
    Upload,
    Snubs(bool),
    Reject,
    Waste,
    Trust(i8),
    Pex,
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
            Self::AmInterested(interested) => peer.set_am_interested(now, interested),
            Self::PeerChoking(choking) => peer.set_peer_choking(now, choking),
            Self::Block => {
                (peer.last_block_at, peer.consecutive_rejects) = (Some(now), 0);
                (peer.useful_blocks, peer.downloaded) =
                    (peer.useful_blocks + 1, peer.downloaded + 16_384);
            }
            Self::Upload => {
                (peer.last_upload_at, peer.uploaded) = (Some(now), peer.uploaded + 16_384);
            }
            Self::Snubs(snubs) => peer.snubbed_since = snubs.then_some(now),
            Self::Reject => peer.consecutive_rejects += 20,
            Self::Waste => peer.wasted_blocks += 4,
            Self::Trust(by) => peer.trust = peer.trust.saturating_add(by),
            Self::Pex => peer.pex = true,
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
        any::<bool>().prop_map(Change::AmInterested),
        any::<bool>().prop_map(Change::PeerChoking),
        Just(Change::Block),
        Just(Change::Upload),
        any::<bool>().prop_map(Change::Snubs),
        Just(Change::Reject),
        Just(Change::Waste),
        (-2..2_i8).prop_map(Change::Trust),
        Just(Change::Pex),
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

/// Sets of the founding rules and `redundant`, plain, one-sided and wrapped: they judge by pieces
/// alone.
pub(crate) fn rules_about_pieces() -> impl Strategy<Value = PolicySet> {
    prop::collection::vec(0..PIECE_MEMBERS, 0..6)
        .prop_map(|members| members.into_iter().fold(PolicySet::new(), with_member))
}

/// Sets of all rules, plain, wrapped, and in presets.
pub(crate) fn policies() -> impl Strategy<Value = PolicySet> {
    prop::collection::vec(members(), 0..6)
        .prop_map(|members| members.into_iter().fold(PolicySet::new(), with_member))
}

const PIECE_MEMBERS: usize = 9;

/// What [`with_member`] takes.
pub(crate) fn members() -> impl Strategy<Value = usize> {
    0..PIECE_MEMBERS + 3 * RULES.len() + PRESETS.len()
}

pub(crate) fn with_member(set: PolicySet, member: usize) -> PolicySet {
    match member {
        0 => set.with(BitfieldTimeout::default()),
        1 => set.with(NoInterest::default()),
        2 => set.with(NoInterest::default().one_sided()),
        3 => set.with(Health::default()),
        4 => set.with(Health::default().one_sided()),
        5 => set.with(Redundant::default()),
        6 => set.with(WhenCrowded::new(NoInterest::new(Duration::from_secs(3)))),
        7 => set.with(DryRun::new(BitfieldTimeout::new(Duration::from_secs(20)))),
        8 => set.with(Exempt::new(OnlyWhile::leeching(Health::default()), |peer| peer.fast)),
        _ => set.with(by_name(member - PIECE_MEMBERS)),
    }
}

/// A preset, or a rule of the registry: as it is, with all its options, or where slots are scarce.
fn by_name(member: usize) -> PolicySet {
    let spec = match (member.checked_sub(PRESETS.len()), PRESETS.get(member)) {
        (Some(member), _) => {
            let rule = &RULES[member / 3];
            let options = rule.options.iter().map(|option| format!(",{}", option.name));
            let options = match member % 3 {
                0 => String::new(),
                1 => options.collect(),
                _ => ",when-crowded".into(),
            };
            format!("{}{options}", rule.default_spec())
        }
        (None, preset) => format!("preset={}", preset.map_or("off", |preset| preset.name)),
    };
    let mut selection = Selection::standard();
    selection.apply("all=off").expect("every rule can be turned off");
    selection.apply(&spec).expect("the registry tells what it takes");
    selection.build()
}
