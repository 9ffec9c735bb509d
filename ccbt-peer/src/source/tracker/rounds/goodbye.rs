//! Taking leave of all trackers at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use ccbt_wire::tracker::{Announce, AnnounceEvent, AnnounceReply};
use tokio::time::timeout;

use super::{Begun, Rounds};
use crate::source::SourceContext;
use crate::source::tracker::conversation::Conversation;
use crate::source::tracker::kind::Tracker;
use crate::source::tracker::schedule::AnnounceError;

/// All that is said when the swarm stops.
const GOODBYE: Duration = Duration::from_millis(400);

/// Finishes what was begun, and takes leave of every tracker that knows of us.
pub(super) async fn say_goodbye<A, F>(
    rounds: &mut Rounds,
    context: &SourceContext,
    ask: &A,
    begun: Option<Begun>,
) where
    A: Fn(Tracker, Announce) -> F + Send + Sync,
    F: Future<Output = Result<AnnounceReply, AnnounceError>> + Send + 'static,
{
    let key = rounds.key;
    let (whose, mut begun) = match begun {
        Some(begun) => (Some(begun.place), Some(begun)),
        None => (None, None),
    };
    let mut all: Vec<Goodbye<'_>> = Vec::new();
    for (place, tracker) in rounds.trackers.places().zip(rounds.trackers.iter_mut()) {
        let begun = if whose == Some(place) { begun.take() } else { None };
        all.push(Box::pin(take_leave(tracker, context, key, ask, begun)));
    }
    let _ = timeout(GOODBYE, each(all)).await;
}

async fn take_leave<A, F>(
    tracker: &mut Conversation,
    context: &SourceContext,
    key: u32,
    ask: &A,
    begun: Option<Begun>,
) where
    A: Fn(Tracker, Announce) -> F + Send + Sync,
    F: Future<Output = Result<AnnounceReply, AnnounceError>> + Send + 'static,
{
    // What the tracker may have heard already is not said a second time.
    if let Some(begun) = begun
        && begun.event.is_some()
        && let Ok(reply) = begun.announce.await
    {
        tracker.accepted(begun.event, &reply);
    }
    if !tracker.is_started() {
        return;
    }
    let completed = context.totals().completed;
    let last = tracker.next_event(completed).into_iter().chain([AnnounceEvent::Stopped]);
    for event in last {
        // Nobody is left who could try again.
        let announce = tracker.announce(context, Some(event), key);
        let _ = ask(tracker.tracker.clone(), announce).await;
    }
}

type Goodbye<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Runs all of them at the same time, to their ends.
async fn each(mut all: Vec<Goodbye<'_>>) {
    poll_fn(|task| {
        all.retain_mut(|one| one.as_mut().poll(task).is_pending());
        if all.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
