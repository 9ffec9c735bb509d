//! Announcing round by round, until the swarm stops.

mod goodbye;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use ccbt_wire::tracker::{Announce, AnnounceEvent, AnnounceReply};
use tokio::time::sleep;

use self::goodbye::say_goodbye;
use super::conversation::Conversation;
use super::kind::Tracker;
use super::order::{Order, Place};
use super::schedule::AnnounceError;
use crate::source::SourceContext;

/// The trackers of a torrent: each round asks one after the other until one responds.
///
/// Who failed rests before it is asked again. Rests are counted in the waits between rounds, so that no
/// clock is needed; a wait that a completion cuts short does not count, and the rest is the longer.
#[derive(Debug)]
pub(super) struct Rounds {
    trackers: Order<Conversation>,
    key: u32,
}

/// An announce on its way, the end of which nobody awaited.
struct Begun {
    place: Place,
    event: Option<AnnounceEvent>,
    announce: Announcing,
}

type Announcing = Pin<Box<dyn Future<Output = Result<AnnounceReply, AnnounceError>> + Send>>;

/// How a round ended.
enum Round {
    /// The tracker that is now here responded, and wants to be left alone for so long.
    Responded(Place, Duration),
    /// Nobody did.
    Failed,
    /// The swarm stopped meanwhile.
    Stopped(Begun),
}

impl Rounds {
    pub(super) fn new(trackers: Order<Conversation>, key: u32) -> Self {
        Self { trackers, key }
    }

    pub(super) fn trackers(&self) -> impl Iterator<Item = &Conversation> {
        self.trackers.iter()
    }

    /// Announces on the way into the network that the swarm has.
    pub(super) async fn run_on_the_network(self, context: SourceContext) {
        let binding = context.binding().clone();
        let ask = move |tracker: Tracker, announce| tracker.announce(binding.clone(), announce);
        self.run(context, ask).await;
    }

    /// Announces through `ask` until the swarm stops, then takes leave of all who know of us.
    pub(super) async fn run<A, F>(mut self, context: SourceContext, ask: A)
    where
        A: Fn(Tracker, Announce) -> F + Send + Sync,
        F: Future<Output = Result<AnnounceReply, AnnounceError>> + Send + 'static,
    {
        let begun = loop {
            let (responded, wait) = match self.round(&context, &ask).await {
                Round::Responded(place, wait) => (Some(place), wait),
                Round::Failed => match self.trackers.iter().map(Conversation::rest).min() {
                    Some(rest) => (None, rest),
                    None => return,
                },
                Round::Stopped(begun) => break Some(begun),
            };
            // Only who is asked again at once is asked for its sake.
            let awaits_completion = responded
                .and_then(|place| self.trackers.at(place))
                .is_some_and(|tracker| tracker.awaits_completion());
            tokio::select! {
                biased;
                () = context.stopped() => break None,
                () = context.completed(), if awaits_completion => (),
                () = sleep(wait) => self.trackers.iter_mut().for_each(|tracker| tracker.passed(wait)),
            }
        };
        say_goodbye(&mut self, &context, &ask, begun).await;
    }

    async fn round<A, F>(&mut self, context: &SourceContext, ask: &A) -> Round
    where
        A: Fn(Tracker, Announce) -> F + Send + Sync,
        F: Future<Output = Result<AnnounceReply, AnnounceError>> + Send + 'static,
    {
        for place in self.trackers.places() {
            let Some(tracker) = self.trackers.at(place).filter(|tracker| tracker.rest().is_zero())
            else {
                continue;
            };
            let event = tracker.next_event(context.totals().completed);
            let announce = tracker.announce(context, event, self.key);
            let mut announce: Announcing = Box::pin(ask(tracker.tracker.clone(), announce));
            let result = tokio::select! {
                biased;
                result = &mut announce => result,
                () = context.stopped() => return Round::Stopped(Begun { place, event, announce }),
            };
            let context = context.named(tracker.tracker.url());
            match result {
                Ok(reply) => {
                    let wait = tracker.accepted(event, &reply);
                    self.trackers.responded(place);
                    context.found(reply.peers, reply.warning).await;
                    return Round::Responded(place.first(), wait);
                }
                Err(error) => {
                    tracker.failed(&error);
                    context.failed(error.to_string()).await;
                }
            }
        }
        Round::Failed
    }
}
