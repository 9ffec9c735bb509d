use ccbt_wire::local::{LocalAnnounce, MAX_LENGTH, MAX_TORRENTS};
use ccbt_wire::tracker::udp::{DatagramError, Family, MAX_SCRAPED, Reply, Request};
use ccbt_wire::tracker::{AnnounceReply, MAX_PEERS, ScrapeReply};

/// An answer to an announce and to a scrape.
pub fn tracker_http(input: &[u8]) {
    match AnnounceReply::parse(input) {
        Ok(reply) => {
            announced(&reply);
            let mut again = AnnounceReply::parse(&reply.encode()).expect("what we write");
            let mut reply = reply;
            // Written by family.
            reply.peers.sort_unstable();
            again.peers.sort_unstable();
            assert_eq!(again, reply);
        }
        Err(error) => super::assert_shows_well(&error.to_string()),
    }
    match ScrapeReply::parse(input) {
        Ok(reply) => assert_eq!(ScrapeReply::parse(&reply.encode()), Ok(reply)),
        Err(error) => super::assert_shows_well(&error.to_string()),
    }
}

fn announced(reply: &AnnounceReply) {
    assert!(reply.peers.len() <= MAX_PEERS);
    assert!(reply.peers.iter().all(|peer| peer.port() != 0));
    assert!(reply.tracker_id.as_ref().is_none_or(|id| id.len() <= 256));
    super::assert_shows_well(reply.warning.as_deref().unwrap_or_default());
}

/// A datagram from a tracker, read as either family and as a request.
pub fn tracker_udp(input: &[u8]) {
    let shows = |error: DatagramError| super::assert_shows_well(&error.to_string());
    for family in [Family::V4, Family::V6] {
        let (transaction, reply) = match Reply::parse(input, family) {
            Ok(read) => read,
            Err(error) => {
                shows(error);
                continue;
            }
        };
        match &reply {
            Reply::Announce(reply) => announced(reply),
            Reply::Scrape(counts) => assert!(counts.len() <= MAX_SCRAPED),
            Reply::Error(words) => super::assert_shows_well(words),
            Reply::Connect { .. } => {}
        }
        assert_eq!(
            Reply::parse(&reply.encode(transaction, family), family),
            Ok((transaction, reply))
        );
    }
    match Request::parse(input) {
        Ok((transaction, request)) => {
            // Numbers that are no numbers of bytes are told as the greatest.
            let once = Request::parse(&request.encode(transaction)).expect("what we write");
            assert_eq!(once.0, transaction);
            assert_eq!(Request::parse(&once.1.encode(transaction)), Ok(once));
        }
        Err(error) => shows(error),
    }
}

/// A datagram from the local network.
pub fn local_announce(input: &[u8]) {
    match LocalAnnounce::parse(input) {
        Ok(announce) => {
            assert!(input.len() <= MAX_LENGTH);
            assert!((1..=MAX_TORRENTS).contains(&announce.info_hashes.len()));
            assert!(announce.port != 0);
            assert_eq!(
                LocalAnnounce::parse(&announce.encode("[ff15::efc0:988f]:6771")),
                Ok(announce)
            );
        }
        Err(error) => super::assert_shows_well(&error.to_string()),
    }
}
