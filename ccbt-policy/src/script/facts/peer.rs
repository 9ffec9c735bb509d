use super::swarm::pieces;
use super::{Fact, Read};
use crate::{Availability, Direction, Source};

/// Bytes and blocks as numbers: exact up to 2^53, so up to 9 PB.
#[expect(clippy::cast_precision_loss)]
fn wide(count: u64) -> Option<f64> {
    Some(count as f64)
}

pub(super) static FACTS: &[Fact] = &[
    Fact::text(
        "client",
        "client",
        |peer| (peer.client.as_deref().unwrap_or_default().as_bytes(), Some(&peer.peer_id)),
        &[],
        "its name and version; a comparison may hold for its peer id instead",
    ),
    Fact::text(
        "peer_id",
        "peer_id",
        |peer| (&peer.peer_id, None),
        &[],
        "of its handshake (BEP 20)",
    ),
    Fact::new(
        "address",
        "addr",
        Read::Address(|peer| peer.addr.ip()),
        "of the other end; IPv4 in IPv6 is the same as IPv4",
    ),
    Fact::number("port", "addr", "", |peer, _| Some(peer.addr.port().into()), "of the other end"),
    Fact::text(
        "direction",
        "direction",
        |peer| {
            let direction: &str = match peer.direction {
                Direction::Incoming => "incoming",
                Direction::Outgoing => "outgoing",
            };
            (direction.as_bytes(), None)
        },
        &["incoming", "outgoing"],
        "who dialed",
    ),
    Fact::text(
        "source",
        "source",
        |peer| {
            let source: &str = match peer.source {
                Source::Given => "given",
                Source::Tracker => "tracker",
                Source::Dht => "dht",
                Source::Pex => "pex",
                Source::Lsd => "lsd",
                Source::Incoming => "incoming",
                Source::Other => "other",
            };
            (source.as_bytes(), None)
        },
        &["given", "tracker", "dht", "pex", "lsd", "incoming", "other"],
        "where its address is from",
    ),
    Fact::age("age", "connected_at", |peer, _| Some(peer.connected_at), "since the handshake"),
    Fact::flag("fast", "fast", |peer, _| peer.fast, "both have the fast extension (BEP 6)"),
    Fact::flag("extended", "extended", |peer, _| peer.extended, "both have BEP 10"),
    Fact::flag("dht", "dht", |peer, _| peer.dht, "it has a DHT node (BEP 5)"),
    Fact::flag("pex", "pex", |peer, _| peer.pex, "both exchange peers (BEP 11)"),
    Fact::flag("pinned", "pinned", |peer, _| peer.pinned, "the person wants it kept"),
    Fact::number(
        "same_prefix",
        "same_prefix",
        "connections",
        |peer, _| Some(peer.same_prefix.into()),
        "others of its network (/24 of IPv4, /64 of IPv6)",
    )
    .and_sampled(),
    Fact::flag(
        "upload_only",
        "upload_only_since",
        |peer, _| peer.upload_only_since.is_some(),
        "it says that it downloads nothing more (BEP 21)",
    ),
    Fact::age(
        "upload_only_age",
        "upload_only_since",
        |peer, _| peer.upload_only_since,
        "since it says so",
    ),
    Fact::flag(
        "metadata_done",
        "metadata_done",
        |peer, _| peer.metadata_done,
        "it has the metadata (BEP 9)",
    ),
    Fact::text(
        "availability",
        "availability",
        |peer| {
            let availability: &str = match peer.availability {
                Availability::Unknown => "unknown",
                Availability::None => "none",
                Availability::Some => "some",
                Availability::All => "all",
            };
            (availability.as_bytes(), None)
        },
        &["unknown", "none", "some", "all"],
        "what it has announced",
    ),
    Fact::age(
        "availability_age",
        "availability_at",
        |peer, _| peer.availability_at,
        "since that last changed",
    ),
    Fact::number("have", "have", "pieces", |peer, _| Some(peer.have.into()), "it has")
        .and_sampled(),
    Fact::number(
        "progress",
        "have",
        "0 to 1",
        |peer, swarm| {
            let pieces = pieces(swarm);
            (pieces > 0.0).then(|| f64::from(peer.have) / pieces)
        },
        "the share of all pieces that it says it has",
    )
    .and_sampled(),
    Fact::number("wanted", "wanted", "pieces", |peer, _| Some(peer.wanted.into()), "we need of it")
        .and_sampled(),
    Fact::flag(
        "sole_holder",
        "sole_holder",
        |peer, _| peer.sole_holder,
        "it alone has some piece that we need",
    )
    .and_sampled(),
    Fact::flag(
        "was_wanted",
        "was_wanted",
        |peer, _| peer.was_wanted,
        "it had something that we needed at some time",
    ),
    Fact::number(
        "offered",
        "offered",
        "pieces",
        |peer, _| Some(peer.offered.into()),
        "of ours that it lacks",
    )
    .and_sampled(),
    Fact::age(
        "unwanted_age",
        "unwanted_since",
        |peer, _| peer.unwanted_since,
        "since it has nothing that we need",
    ),
    Fact::age(
        "unoffered_age",
        "unoffered_since",
        |peer, _| peer.unoffered_since,
        "since we have nothing that it lacks",
    ),
    Fact::age(
        "have_age",
        "last_new_have_at",
        |peer, _| peer.last_new_have_at,
        "since it last announced a piece that was new for it",
    )
    .and_sampled(),
    Fact::flag("am_choking", "am_choking", |peer, _| peer.am_choking, "we choke it"),
    Fact::age(
        "am_choking_age",
        "am_choking_since",
        |peer, _| Some(peer.am_choking_since),
        "since we choke it, or do not",
    ),
    Fact::flag(
        "am_interested",
        "am_interested",
        |peer, _| peer.am_interested,
        "we are interested in it",
    ),
    Fact::age(
        "am_interested_age",
        "am_interested_since",
        |peer, _| Some(peer.am_interested_since),
        "since we are, or are not",
    ),
    Fact::flag("optimistic", "optimistic", |peer, _| peer.optimistic, "it is unchoked on trial")
        .and_sampled(),
    Fact::flag("peer_choking", "peer_choking", |peer, _| peer.peer_choking, "it chokes us"),
    Fact::age(
        "peer_choking_age",
        "peer_choking_since",
        |peer, _| Some(peer.peer_choking_since),
        "since it chokes us, or does not",
    ),
    Fact::flag(
        "peer_interested",
        "peer_interested",
        |peer, _| peer.peer_interested,
        "it is interested in us",
    ),
    Fact::age(
        "peer_interested_age",
        "peer_interested_since",
        |peer, _| Some(peer.peer_interested_since),
        "since it is, or is not",
    ),
    Fact::new(
        "interest_counts",
        "peer_interested",
        Read::Until(|peer, _| peer.uncounted_since()),
        "it takes from us: interested in something we have, and choked or requesting",
    ),
    Fact::new(
        "useful",
        "wanted",
        Read::Until(|peer, _| peer.uncounted_since().filter(|_| peer.wanted == 0)),
        "it has something that we need, or takes from us",
    ),
    Fact::age(
        "request_age",
        "last_request_at",
        |peer, _| peer.last_request_at,
        "since it last requested a block",
    ),
    Fact::age(
        "block_age",
        "last_block_at",
        |peer, _| peer.last_block_at,
        "since it last sent a block",
    )
    .and_sampled(),
    Fact::age(
        "upload_age",
        "last_upload_at",
        |peer, _| peer.last_upload_at,
        "since we last sent it a block",
    )
    .and_sampled(),
    Fact::age(
        "message_age",
        "last_message_at",
        |peer, _| peer.last_message_at,
        "since its last message",
    )
    .and_sampled(),
    Fact::number(
        "in_flight",
        "in_flight",
        "blocks",
        |peer, _| Some(peer.in_flight.into()),
        "requested of it and still to come",
    )
    .and_sampled(),
    Fact::flag(
        "snubbed",
        "snubbed_since",
        |peer, _| peer.snubbed_since.is_some(),
        "it owes us blocks for longer than is fair",
    )
    .and_sampled(),
    Fact::age("snubbed_age", "snubbed_since", |peer, _| peer.snubbed_since, "since it does")
        .and_sampled(),
    Fact::number(
        "consecutive_rejects",
        "consecutive_rejects",
        "requests",
        |peer, _| Some(peer.consecutive_rejects.into()),
        "rejected since its last block (BEP 6)",
    )
    .and_sampled(),
    Fact::number(
        "useful_blocks",
        "useful_blocks",
        "blocks",
        |peer, _| wide(peer.useful_blocks),
        "of it that we could use",
    )
    .and_sampled(),
    Fact::number(
        "wasted_blocks",
        "wasted_blocks",
        "blocks",
        |peer, _| wide(peer.wasted_blocks),
        "of it that we had already or had not asked for",
    )
    .and_sampled(),
    Fact::number(
        "download_rate",
        "download_rate",
        "bytes a second",
        |peer, _| wide(peer.download_rate),
        "it sends us",
    )
    .and_sampled(),
    Fact::number(
        "upload_rate",
        "upload_rate",
        "bytes a second",
        |peer, _| wide(peer.upload_rate),
        "we send it",
    )
    .and_sampled(),
    Fact::number(
        "downloaded",
        "downloaded",
        "bytes",
        |peer, _| wide(peer.downloaded),
        "it has sent us on this connection",
    )
    .and_sampled(),
    Fact::number(
        "uploaded",
        "uploaded",
        "bytes",
        |peer, _| wide(peer.uploaded),
        "we have sent it on this connection",
    )
    .and_sampled(),
    Fact::number(
        "trust",
        "trust",
        "-128 to 127",
        |peer, _| Some(peer.trust.into()),
        "grows with good pieces that it had a part in, falls with bad ones",
    )
    .and_sampled(),
    Fact::flag(
        "proven_liar",
        "proven_liar",
        |peer, _| peer.proven_liar,
        "a bad piece was its work alone",
    )
    .and_sampled(),
    Fact::flag("flood", "flood", |peer, _| peer.flood, "it sends more than makes sense")
        .and_sampled(),
    Fact::number(
        "past_connections",
        "past",
        "connections",
        |peer, _| Some(peer.past.connections.into()),
        "of its address before this one",
    ),
    Fact::number(
        "past_evictions",
        "past",
        "evictions",
        |peer, _| Some(peer.past.evictions.into()),
        "of its address before",
    ),
    Fact::number(
        "past_downloaded",
        "past",
        "bytes",
        |peer, _| wide(peer.past.downloaded),
        "its address sent us before",
    ),
    Fact::number(
        "past_uploaded",
        "past",
        "bytes",
        |peer, _| wide(peer.past.uploaded),
        "we sent its address before",
    ),
    Fact::number(
        "past_highest_have",
        "past",
        "pieces",
        |peer, _| Some(peer.past.highest_have.into()),
        "the most that its address ever had",
    ),
];
