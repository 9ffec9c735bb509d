//! An HTTP tracker: tells it what we do, gets peers from it (BEP 3, 7, 23, 31).

mod schedule;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use ccbt_policy::Source;
use ccbt_wire::tracker::{Announce, AnnounceEvent, AnnounceReply, TrackerError};
use tokio::time::{sleep, timeout};

use self::schedule::{AnnounceError, Schedule};
use super::http::{self, Answer, HttpError, UrlError};
use super::{PeerSource, SourceContext};

/// Longer replies are refused while they are read.
const MOST_BYTES: usize = 1 << 20;
/// All of one announce, redirects included.
const PATIENCE: Duration = Duration::from_secs(10);
/// All that is said when the swarm stops.
const GOODBYE: Duration = Duration::from_millis(400);
const WANTED_PEERS: u32 = 200;
/// Trackers refuse port 0, so that is what one hears of who accepts no connections: a port where
/// nobody listens.
const NO_PORT: u16 = 1;

/// A tracker that is asked over HTTP or HTTPS.
///
/// It announces `started` when it is run, then whenever the tracker's interval is over (obeyed within
/// 60 s and 24 h; 30 min if there is none), `completed` when the download becomes complete, and
/// `stopped` when the swarm stops, for which it takes 400 ms at most. A failed announce is tried
/// again after 15 s, then after twice as long each time, up to 30 min, and not before the tracker
/// wants it. A reply may take 10 s, redirect 5 times, and be 1 MiB long.
#[derive(Debug)]
pub struct HttpTracker {
    url: String,
    key: u32,
    tracker_id: Option<Vec<u8>>,
}

impl HttpTracker {
    /// A tracker by its announce URL, which may have a query of its own.
    ///
    /// # Errors
    /// If the URL is not one that can be asked.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        http::parse(url)?;
        Ok(Self { url: url.trim().to_owned(), key: fastrand::u32(..), tracker_id: None })
    }

    fn announce_url(&self, context: &SourceContext, event: Option<AnnounceEvent>) -> String {
        let totals = context.totals();
        let announce = Announce {
            info_hash: context.info_hash,
            peer_id: context.peer_id,
            port: context.port.filter(|port| *port != 0).unwrap_or(NO_PORT),
            uploaded: totals.uploaded,
            downloaded: totals.downloaded,
            left: totals.left,
            event,
            numwant: Some(if event == Some(AnnounceEvent::Stopped) { 0 } else { WANTED_PEERS }),
            key: Some(self.key),
            tracker_id: self.tracker_id.clone(),
        };
        announce.url(&self.url)
    }

    async fn run_with<G, F>(mut self, context: SourceContext, get: G)
    where
        G: Fn(String) -> F + Send + Sync,
        F: Future<Output = Result<Answer, HttpError>> + Send,
    {
        let mut schedule = Schedule::default();
        loop {
            let event = schedule.next_event(context.totals().completed);
            let mut announce = pin!(ask(&get, self.announce_url(&context, event)));
            let result = tokio::select! {
                biased;
                result = &mut announce => result,
                () = context.stopped() => {
                    // What the tracker may have heard already is not said a second time.
                    let unfinished = event.map(|event| (event, announce));
                    return self.say_goodbye(&context, &get, schedule, unfinished).await;
                }
            };
            let wait = match result {
                Ok(reply) => {
                    let wait = schedule.accepted(event, &reply);
                    self.tracker_id = reply.tracker_id.or(self.tracker_id);
                    context.found(reply.peers, reply.warning).await;
                    wait
                }
                Err(error) => {
                    let wait = schedule.failed(&error);
                    context.failed(error.to_string()).await;
                    wait
                }
            };
            tokio::select! {
                biased;
                () = context.stopped() => {
                    let nothing: Option<(AnnounceEvent, std::future::Pending<_>)> = None;
                    return self.say_goodbye(&context, &get, schedule, nothing).await;
                }
                () = context.completed(), if schedule.awaits_completion() => (),
                () = sleep(wait) => (),
            }
        }
    }

    /// Finishes what was begun and takes leave, if the tracker knows of us.
    async fn say_goodbye<G, F>(
        &self,
        context: &SourceContext,
        get: &G,
        mut schedule: Schedule,
        unfinished: Option<(
            AnnounceEvent,
            impl Future<Output = Result<AnnounceReply, AnnounceError>>,
        )>,
    ) where
        G: Fn(String) -> F,
        F: Future<Output = Result<Answer, HttpError>>,
    {
        let goodbye = async {
            if let Some((event, announce)) = unfinished
                && let Ok(reply) = announce.await
            {
                schedule.accepted(Some(event), &reply);
            }
            if !schedule.is_started() {
                return;
            }
            let completed = context.totals().completed;
            let last = schedule.next_event(completed).into_iter().chain([AnnounceEvent::Stopped]);
            for event in last {
                // Nobody is left who could try again.
                let _ = ask(get, self.announce_url(context, Some(event))).await;
            }
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// One announce: a request, and what its answer means.
async fn ask<G, F>(get: &G, url: String) -> Result<AnnounceReply, AnnounceError>
where
    G: Fn(String) -> F,
    F: Future<Output = Result<Answer, HttpError>>,
{
    let answer = timeout(PATIENCE, get(url)).await;
    let answer = answer.map_err(|_| HttpError::TimedOut { seconds: PATIENCE.as_secs() })??;
    match AnnounceReply::parse(&answer.body) {
        // Some trackers send their reason with an error status.
        Err(error @ TrackerError::Refused { .. }) => Err(error.into()),
        _ if !answer.is_success() => Err(HttpError::Status(answer.status).into()),
        result => Ok(result?),
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
        let get = async |url: String| http::get(&url, MOST_BYTES).await;
        self.run_with(context, get).await;
    }
}
