//! What was heard of the swarm from its beginning on; a snapshot shows only who is there now.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ccbt_peer::EventKind;
use ccbt_peer::policy::Direction;

use super::facts::SourceFacts;
use crate::report::{Departures, by_its_option};

/// So many different errors are told apart.
const ERRORS: usize = 20;
/// The name of all others.
const OTHER: &str = "other errors";

/// What was heard.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) listen: Option<SocketAddr>,
    /// By name.
    pub(super) sources: BTreeMap<String, SourceFacts>,
    /// Dials that failed, by error.
    pub(super) not_reached: BTreeMap<String, usize>,
    pub(super) gone: Departures,
    /// Handshakes that were done.
    pub(super) met: usize,
    /// Those of them with peers that dialed us.
    pub(super) met_incoming: usize,
    /// What rules failed on.
    pub(super) troubles: Vec<String>,
}

impl Journal {
    pub(super) fn hear(&mut self, kind: &EventKind) {
        match kind {
            EventKind::Started { listen, .. } => self.listen = *listen,
            EventKind::SourceReplied { source, peers, warning } => {
                let source = self.source(source);
                source.replies += 1;
                source.addresses = source.addresses.max(*peers);
                source.error = None;
                source.warning.clone_from(warning);
            }
            EventKind::SourceFailed { source, error } => {
                self.source(source).error = Some(error.clone());
            }
            EventKind::DialFailed { error, .. } => {
                let known = self.not_reached.len() < ERRORS || self.not_reached.contains_key(error);
                let error = if known { error } else { OTHER };
                *self.not_reached.entry(error.to_owned()).or_default() += 1;
            }
            EventKind::PeerConnected { direction, .. } => {
                self.met += 1;
                self.met_incoming += usize::from(*direction == Direction::Incoming);
            }
            EventKind::PeerClosed { reason, .. } => self.gone.add(reason),
            EventKind::Progress(now) => self.gone.blocked(None, now.blocked),
            _ => {}
        }
    }

    fn source(&mut self, name: &str) -> &mut SourceFacts {
        let name = by_its_option(name);
        let new = || SourceFacts { source: name.to_owned(), ..SourceFacts::default() };
        self.sources.entry(name.to_owned()).or_insert_with(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_beyond_the_limit_are_counted_together() {
        let mut journal = Journal::default();
        let peer = SocketAddr::from(([192, 0, 2, 1], 1));
        for error in (0..30).chain(0..5) {
            journal.hear(&EventKind::DialFailed { peer, error: error.to_string() });
        }
        assert_eq!(journal.not_reached.len(), ERRORS + 1);
        assert_eq!((journal.not_reached["4"], journal.not_reached[OTHER]), (2, 10));
    }

    #[test]
    fn an_answer_pardons_the_failure_before() {
        let mut journal = Journal::default();
        let source = "given".to_owned();
        journal.hear(&EventKind::SourceFailed { source: source.clone(), error: "x".into() });
        assert_eq!(journal.sources["--peer"].error.as_deref(), Some("x"));
        journal.hear(&EventKind::SourceReplied { source, peers: 2, warning: None });
        let given = &journal.sources["--peer"];
        assert_eq!((given.replies, given.addresses, given.error.is_none()), (1, 2, true));
    }
}
