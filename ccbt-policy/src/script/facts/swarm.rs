use super::Fact;
use crate::SwarmView;

/// What we have and need is told by counts that move with every piece.
pub(super) static FACTS: &[Fact] = &[
    Fact::flag(
        "downloading",
        "swarm.upload_only_since",
        |_, swarm| swarm.leeching(),
        "there is still something that we need",
    ),
    Fact::age(
        "complete_age",
        "swarm.upload_only_since",
        |_, swarm| swarm.upload_only_since,
        "since we need nothing more",
    ),
    Fact::age(
        "metadata_age",
        "swarm.metadata_at",
        |_, swarm| swarm.metadata_at,
        "since the metadata is known",
    ),
    Fact::age(
        "checked_age",
        "swarm.checked_at",
        |_, swarm| swarm.checked_at,
        "since our files are checked; before, nobody knows what we need",
    ),
    Fact::number(
        "pieces",
        "swarm.have",
        "pieces",
        |_, swarm| Some(pieces(swarm)),
        "all that there are: those we have and those we need",
    ),
    Fact::number(
        "we_have",
        "swarm.have",
        "pieces",
        |_, swarm| Some(swarm.have.into()),
        "we have and have verified",
    )
    .and_sampled(),
    Fact::number("we_need", "swarm.need", "pieces", |_, swarm| Some(swarm.need.into()), "we need")
        .and_sampled(),
    Fact::number(
        "peers",
        "swarm.peers",
        "peers",
        |_, swarm| Some(swarm.peers.into()),
        "that hold a slot",
    )
    .and_sampled(),
    Fact::number(
        "peer_limit",
        "swarm.limit",
        "peers",
        |_, swarm| Some(swarm.limit.into()),
        "that may hold a slot",
    )
    .and_sampled(),
    Fact::number(
        "free_slots",
        "swarm.free_slots",
        "peers",
        |_, swarm| Some(swarm.free_slots.into()),
        "slots that nobody holds",
    )
    .and_sampled(),
    Fact::number(
        "newcomers",
        "swarm.newcomers",
        "peers",
        |_, swarm| Some(swarm.newcomers.into()),
        "that wait for a slot",
    )
    .and_sampled(),
    Fact::flag(
        "crowded",
        "swarm.crowded",
        |_, swarm| swarm.crowded,
        "90 % of the slots are taken, or were and have not fallen to 80 % since",
    ),
    Fact::flag("private", "swarm.private", |_, swarm| swarm.private, "the torrent is (BEP 27)"),
    Fact::flag(
        "endgame",
        "swarm.endgame",
        |_, swarm| swarm.endgame,
        "every block that we need is requested",
    )
    .and_sampled(),
    Fact::number(
        "median_worth",
        "swarm.median_worth",
        "worth",
        // As a number for a person the worth is exact enough.
        #[expect(clippy::cast_precision_loss)]
        |_, swarm| swarm.median_worth.map(|worth| worth as f64),
        "of the peers, on the scale of the ranking in use",
    )
    .and_sampled(),
];

pub(super) fn pieces(swarm: &SwarmView) -> f64 {
    f64::from(swarm.have) + f64::from(swarm.need)
}
