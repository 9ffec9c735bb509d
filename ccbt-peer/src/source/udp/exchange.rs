//! A question to one address of a tracker: no socket, no clock.

use std::time::Duration;

use ccbt_policy::Time;
use ccbt_wire::InfoHash;
use ccbt_wire::tracker::Announce;
use ccbt_wire::tracker::udp::{Family, Reply, Request};

use super::UdpError;

/// A client may use a connection id for so long (BEP 15).
const LIFETIME: Duration = Duration::from_secs(60);

/// A tracker's proof that our address is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    id: u64,
    since: Time,
}

impl Connection {
    pub(super) fn is_valid(&self, now: Time) -> bool {
        now.saturating_since(self.since) < LIFETIME
    }
}

/// What we want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Peers.
    Announce {
        announce: Announce,
        /// What follows host and port in the tracker's URL.
        url_data: String,
    },
    /// The size of a swarm.
    Scrape(InfoHash),
}

impl Ask {
    fn request(&self, connection: u64) -> Request {
        match self {
            Self::Announce { announce, url_data } => Request::Announce {
                connection,
                announce: announce.clone(),
                url_data: url_data.as_bytes().to_vec(),
            },
            Self::Scrape(torrent) => Request::Scrape { connection, torrents: vec![*torrent] },
        }
    }

    fn is_answered_by(&self, reply: &Reply) -> bool {
        matches!(
            (self, reply),
            (Self::Announce { .. }, Reply::Announce(_)) | (Self::Scrape(_), Reply::Scrape(_))
        )
    }
}

/// Asks once: for a connection id first, unless there is one. When to ask again is for others to say.
#[derive(Debug)]
pub(super) struct Exchange {
    ask: Ask,
    family: Family,
    connection: Option<Connection>,
    /// The connection id is of an earlier exchange: the tracker may have forgotten it.
    is_kept: bool,
    chance: fastrand::Rng,
    /// Of the datagram that was sent last; `None` while the next one waits to be sent.
    transaction: Option<u32>,
}

impl Exchange {
    pub(super) fn new(
        now: Time,
        ask: Ask,
        family: Family,
        kept: Option<Connection>,
        seed: u64,
    ) -> Self {
        let connection = kept.filter(|connection| connection.is_valid(now));
        let chance = fastrand::Rng::with_seed(seed);
        let is_kept = connection.is_some();
        Self { ask, family, connection, is_kept, chance, transaction: None }
    }

    /// The datagram that is to be sent now, if there is one.
    pub(super) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        if self.transaction.is_some() {
            return None;
        }
        let transaction = self.chance.u32(..);
        self.transaction = Some(transaction);
        let request = match self.connection {
            Some(connection) => self.ask.request(connection.id),
            None => Request::Connect,
        };
        Some(request.encode(transaction))
    }

    /// A datagram from the tracker's address; gives how the exchange ended, if it did.
    ///
    /// What does not answer our last datagram is ignored, whoever made it up.
    pub(super) fn handle_datagram(
        &mut self,
        now: Time,
        bytes: &[u8],
    ) -> Option<Result<Reply, UdpError>> {
        let (transaction, reply) = Reply::parse(bytes, self.family).ok()?;
        if self.transaction != Some(transaction) {
            return None;
        }
        match (reply, self.connection) {
            (Reply::Connect { connection: id }, None) => {
                self.connection = Some(Connection { id, since: now });
                self.transaction = None;
                None
            }
            (Reply::Error(_), Some(_)) if self.is_kept => {
                self.is_kept = false;
                self.connection = None;
                self.transaction = None;
                None
            }
            (Reply::Error(words), _) => {
                let reason = if words.is_empty() { "no reason given".into() } else { words };
                Some(Err(UdpError::Refused { reason }))
            }
            (reply, Some(_)) if self.ask.is_answered_by(&reply) => Some(Ok(reply)),
            _ => None,
        }
    }

    /// The connection id, for the next exchange.
    pub(super) fn connection(&self) -> Option<Connection> {
        self.connection
    }
}

#[cfg(test)]
mod tests {
    use ccbt_wire::tracker::{AnnounceReply, ScrapeCounts};

    use super::*;

    const HASH: InfoHash = InfoHash([b'a'; 20]);
    const START: Time = Time::from_millis(1000);

    fn scrape(kept: Option<Connection>, now: Time) -> Exchange {
        Exchange::new(now, Ask::Scrape(HASH), Family::V4, kept, 7)
    }

    /// What it sends next.
    fn sent(exchange: &mut Exchange) -> (u32, Request) {
        let bytes = exchange.poll_transmit().unwrap();
        assert_eq!(exchange.poll_transmit(), None, "each datagram is sent once");
        Request::parse(&bytes).unwrap()
    }

    fn hear(
        exchange: &mut Exchange,
        transaction: u32,
        reply: &Reply,
    ) -> Option<Result<Reply, UdpError>> {
        exchange.handle_datagram(START, &reply.encode(transaction, Family::V4))
    }

    fn counts() -> Reply {
        let mut counts = ScrapeCounts::default();
        (counts.complete, counts.downloaded, counts.incomplete) = (Some(1), Some(2), Some(3));
        Reply::Scrape(vec![counts])
    }

    fn asks(connection: u64) -> Request {
        Request::Scrape { connection, torrents: vec![HASH] }
    }

    #[test]
    fn a_connection_id_is_asked_for_and_then_the_question() {
        let mut exchange = scrape(None, START);
        let (first, request) = sent(&mut exchange);
        assert_eq!(request, Request::Connect);
        assert_eq!(hear(&mut exchange, first, &Reply::Connect { connection: 99 }), None);
        let (second, request) = sent(&mut exchange);
        assert_eq!(request, asks(99));
        assert_ne!(first, second, "each datagram has a transaction of its own");
        assert_eq!(hear(&mut exchange, second, &counts()), Some(Ok(counts())));
        let connection = exchange.connection().unwrap();
        assert_eq!(connection, Connection { id: 99, since: START });
    }

    #[test]
    fn a_connection_id_is_good_for_60_s_to_the_microsecond() {
        let connection = Connection { id: 99, since: START };
        let end = START + LIFETIME;
        let last = Time::from_micros(end.as_micros() - 1);
        assert_eq!(sent(&mut scrape(Some(connection), last)).1, asks(99));
        assert_eq!(sent(&mut scrape(Some(connection), end)).1, Request::Connect);
    }

    #[test]
    fn datagrams_that_answer_nothing_of_ours_are_ignored() {
        let mut exchange = scrape(None, START);
        let connect = Reply::Connect { connection: 99 };
        assert_eq!(hear(&mut exchange, 0, &connect), None);
        assert!(exchange.connection().is_none(), "nothing was asked yet");
        let (transaction, _) = sent(&mut exchange);
        let wrong = transaction.wrapping_add(1);
        assert_eq!(hear(&mut exchange, wrong, &connect), None);
        assert_eq!(hear(&mut exchange, wrong, &Reply::Error("no".into())), None);
        assert_eq!(hear(&mut exchange, transaction, &counts()), None);
        assert_eq!(exchange.handle_datagram(START, b"\0\0\0"), None);
        assert_eq!(exchange.poll_transmit(), None);
        assert_eq!(hear(&mut exchange, transaction, &connect), None);
        let (transaction, _) = sent(&mut exchange);
        let other = Reply::Announce(AnnounceReply::default());
        assert_eq!(hear(&mut exchange, transaction, &other), None);
        assert_eq!(hear(&mut exchange, transaction, &connect), None);
        assert_eq!(hear(&mut exchange, transaction, &counts()), Some(Ok(counts())));
    }

    #[test]
    fn a_tracker_that_forgot_our_connection_is_asked_for_another_one_once() {
        let connection = Connection { id: 99, since: START };
        let mut exchange = scrape(Some(connection), START);
        let (transaction, _) = sent(&mut exchange);
        let mismatch = Reply::Error("connection id mismatch".into());
        assert_eq!(hear(&mut exchange, transaction, &mismatch), None);
        let (transaction, request) = sent(&mut exchange);
        assert_eq!(request, Request::Connect);
        assert_eq!(hear(&mut exchange, transaction, &Reply::Connect { connection: 100 }), None);
        let (transaction, request) = sent(&mut exchange);
        assert_eq!(request, asks(100));
        let refused = UdpError::Refused { reason: "connection id mismatch".into() };
        assert_eq!(hear(&mut exchange, transaction, &mismatch), Some(Err(refused)));
    }

    #[test]
    fn a_refusal_has_a_reason_even_if_the_tracker_gives_none() {
        let mut exchange = scrape(None, START);
        let (transaction, _) = sent(&mut exchange);
        let refused = UdpError::Refused { reason: "no reason given".into() };
        assert_eq!(
            hear(&mut exchange, transaction, &Reply::Error(String::new())),
            Some(Err(refused))
        );
    }
}
