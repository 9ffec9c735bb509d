//! Trackers in virtual time.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ccbt_policy::Source;
use ccbt_wire::tracker::Announce;

use super::kind::Tracker;
use super::over_http;
use super::rounds::Rounds;
use crate::source::fixtures::{Clock, Swarm};
use crate::source::http::{Answer, HttpError};

pub(super) const URL: &str = "http://t.example/announce";
/// One peer, and an interval of 900 s.
pub(super) const REPLY: &[u8] = b"d8:intervali900e5:peers6:\x0a\x00\x00\x01\x1a\xe1e";

/// What [`REPLY`] delivers.
pub(super) fn peers() -> Result<Vec<SocketAddr>, String> {
    Ok(vec![([10, 0, 0, 1], 6881).into()])
}

/// All trackers of a world: what they heard, and when.
#[derive(Clone)]
pub(super) struct Trackers {
    clock: Clock,
    heard: Arc<Mutex<Vec<Heard>>>,
}

#[derive(Clone)]
struct Heard {
    second: u64,
    url: String,
}

impl Heard {
    fn event(&self) -> String {
        parameter(&self.url, "event").unwrap_or_else(|| "-".into())
    }

    /// The first letter of the host.
    fn host(&self) -> char {
        self.url.split("://").nth(1).and_then(|rest| rest.chars().next()).unwrap()
    }
}

impl Trackers {
    pub(super) fn new(swarm: &Swarm) -> Self {
        Self { clock: swarm.clock(), heard: Arc::default() }
    }

    /// Announces to these trackers. The answer to an announce is `answer(number, host, event)`; numbers
    /// count from 1, the host is its first letter, the event `-` if there is none.
    pub(super) fn run<A, F>(
        &self,
        swarm: &Swarm,
        rounds: Rounds,
        answer: A,
    ) -> tokio::task::JoinHandle<()>
    where
        A: Fn(usize, char, String) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Answer, HttpError>> + Send + 'static,
    {
        let trackers = self.clone();
        let ask = move |tracker: Tracker, announce: Announce| {
            let url = announce.url(tracker.url());
            let told = Heard { second: trackers.clock.seconds(), url };
            let mut heard = trackers.heard.lock().unwrap();
            heard.push(told.clone());
            over_http::read(answer(heard.len(), told.host(), told.event()))
        };
        tokio::spawn(rounds.run(swarm.context(), ask))
    }

    /// The second and the event of each announce.
    pub(super) fn heard(&self) -> Vec<(u64, String)> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|told| (told.second, told.event())).collect()
    }

    /// Each announce as `second host event`.
    pub(super) fn lines(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .map(|told| format!("{} {} {}", told.second, told.host(), told.event()))
            .collect()
    }

    /// A parameter of an announce.
    pub(super) fn query(&self, index: usize, name: &str) -> Option<String> {
        parameter(&self.heard.lock().unwrap()[index].url, name)
    }
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

pub(super) fn reply(bytes: &'static [u8]) -> Result<Answer, HttpError> {
    Ok(Answer { status: 200, body: Bytes::from_static(bytes) })
}

pub(super) fn down() -> Result<Answer, HttpError> {
    Err(HttpError::Status(500))
}

pub(super) fn swarm() -> Swarm {
    Swarm::new(URL, Source::Tracker)
}
