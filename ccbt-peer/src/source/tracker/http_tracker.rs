//! One HTTP tracker.

use async_trait::async_trait;
use ccbt_policy::Source;

use super::conversation::Conversation;
use super::kind::Tracker;
use super::order::Order;
use super::rounds::Rounds;
use crate::source::http;
use crate::source::{PeerSource, SourceContext, UrlError};

/// A tracker that is asked over HTTP or HTTPS.
///
/// It announces `started` when it is run, then whenever the tracker's interval is over (obeyed within
/// 60 s and 24 h, and not before its `min interval`; 30 min if there is none), `completed` when the
/// download becomes complete, and `stopped` when the swarm stops, for which it takes 400 ms at most. A
/// failed announce is tried again after 15 s, then after twice as long each time, up to 30 min, and
/// not before the tracker wants it. A reply may take 10 s, redirect 5 times, and be 1 MiB long.
///
/// For the trackers of a torrent there is [`TrackerTiers`](super::TrackerTiers).
#[derive(Debug)]
pub struct HttpTracker {
    url: String,
    pub(super) rounds: Rounds,
}

impl HttpTracker {
    /// A tracker by its announce URL, which may have a query of its own.
    ///
    /// # Errors
    /// If the URL is not one that can be asked.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        http::parse(url)?;
        let url = url.trim().to_owned();
        let tracker = Conversation::new(Tracker::Http(url.clone()));
        let order = Order::new(vec![vec![tracker]]);
        Ok(Self { url, rounds: Rounds::new(order, fastrand::u32(..)) })
    }
}

#[async_trait]
impl PeerSource for HttpTracker {
    fn name(&self) -> String {
        self.url.clone()
    }

    fn kind(&self) -> Source {
        Source::Tracker
    }

    async fn run(self: Box<Self>, context: SourceContext) {
        self.rounds.run_on_the_network(context).await;
    }
}
