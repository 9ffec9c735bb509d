//! One `ccbt seed`, a `ccbt get` and other clients as leechers, found by a tracker only. No policy of ccbt
//! closes a leecher as long as it or we need something.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Scenario;
use super::clients::{Client, Working};
use super::download::{Download, Get};
use super::events::Event;
use super::late::in_time;
use super::payload::{Maker, Payload};
use super::place::{Place, free_port};
use super::seed::Seed;
use super::tools::Tool;
use super::tracker::Tracker;

/// ccbt dials from this host, wherever it listens. Who holds one connection for each host, as rtorrent
/// and transmission do, is connected with the seed or with our leecher, not with both.
const CCBT: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// With limits: how much there is to get, and bytes a second that the seed and each leecher send.
const LENGTH: usize = 32 << 20;
const SEED_UP: u64 = 2 << 20;
const LEECHER_UP: u64 = 1 << 20;
/// ccbt receives from fellow leechers at least so many percent of what the median one receives.
const SHARE_PERCENT: u64 = 80;

/// For a seed that shows a piece at a time, in pieces of 32 KiB.
const SUPER_LENGTH: usize = 2 << 20;

/// How late it may be seen that a client is complete.
const SEEN_LATE: Duration = Duration::from_secs(2);

/// Who leeches beside `ccbt get`, and how.
struct Leechers<'a> {
    clients: &'a [Client],
    /// Bytes a second that the seed and each leecher send.
    limits: Option<(u64, u64)>,
    /// What `ccbt get --evict` is told.
    evict: &'a str,
    /// What `ccbt seed` is told.
    seed: &'a [&'a str],
}

impl Leechers<'_> {
    const EVERYONE: Self =
        Leechers { clients: &Client::ALL, limits: None, evict: "preset=standard", seed: &[] };
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let everyone = |multi| {
        move |place: &Place| {
            let payload = if multi { Payload::multi(place)? } else { Payload::single(place)? };
            Swarm::start(place, payload, &Leechers::EVERYONE)?.finish(place).map(drop)
        }
    };
    let scenarios = [
        Scenario::new("swarm/everyone-finishes/single-file", everyone(false)).waiting(90),
        Scenario::new("swarm/everyone-finishes/multi-file", everyone(true)).waiting(90),
        Scenario::new("swarm/with-upload-limits", with_upload_limits).waiting(180),
        Scenario::new("swarm/one-super-seed", one_super_seed).waiting(180),
    ];
    let tools = || Client::ALL.map(Client::tool).into_iter().chain([Tool::Opentracker]);
    let mut scenarios: Vec<_> =
        scenarios.into_iter().map(|scenario| scenario.needing(tools())).collect();
    let keeps = Scenario::new("swarm/balanced-keeps-leechers", balanced).waiting(120);
    let tools = BALANCED.clients.iter().map(|client| client.tool());
    scenarios.push(keeps.needing(tools.chain([Tool::Opentracker])));
    scenarios
}

const BALANCED: Leechers<'_> = Leechers {
    clients: &[Client::Libtorrent, Client::Transmission, Client::Aria2],
    limits: Some((SEED_UP, LEECHER_UP)),
    evict: "preset=balanced",
    seed: &[],
};

/// Everybody finishes from a seed that shows each of them one piece at a time.
fn one_super_seed(place: &Place) -> Result<()> {
    let payload = Payload::single_of(place, SUPER_LENGTH)?;
    let leechers = Leechers { seed: &["--super"], ..Leechers::EVERYONE };
    Swarm::start(place, payload, &leechers)?.finish(place).map(drop)
}

fn balanced(place: &Place) -> Result<()> {
    let payload = Payload::single_of(place, LENGTH)?;
    Swarm::start(place, payload, &BALANCED)?.finish(place).map(drop)
}

/// What a client can take, ccbt takes, and it is not treated as one that gives nothing.
fn with_upload_limits(place: &Place) -> Result<()> {
    let payload = Payload::single_of(place, LENGTH)?;
    let leechers = Leechers { limits: Some((SEED_UP, LEECHER_UP)), ..Leechers::EVERYONE };
    let results = Swarm::start(place, payload, &leechers)?.finish(place)?;
    let (ours, mut others): (Vec<_>, Vec<_>) =
        results.into_iter().partition(|result| result.client.is_none());
    let ours = ours.first().context("no ccbt in the swarm")?;
    let middle = others.len() / 2;
    others.sort_by_key(|result| result.finished);
    let median_finish = others[middle].finished;
    others.sort_by_key(|result| result.from_fellows);
    let median_bytes = others[middle].from_fellows;
    in_time!(
        ours.finished <= median_finish,
        "ccbt finished after {:.2?}, the median of the others after {median_finish:.2?}",
        ours.finished
    );
    in_time!(
        ours.from_fellows * 100 >= median_bytes * SHARE_PERCENT,
        "ccbt received {} bytes from fellow leechers, the median of the others {median_bytes}",
        ours.from_fellows
    );
    Ok(())
}

struct Swarm {
    payload: Payload,
    others: Vec<(Working, PathBuf)>,
    get: Download,
    seed: Seed,
    since: Instant,
}

/// How one leecher fared.
struct Outcome {
    /// `None` is ccbt.
    client: Option<Client>,
    finished: Duration,
    /// Bytes of the payload that did not come from the seed.
    from_fellows: u64,
}

impl Swarm {
    /// Every leecher is there before the seed comes, so that none has a head start.
    fn start(place: &Place, payload: Payload, leechers: &Leechers<'_>) -> Result<Self> {
        let limits = leechers.limits;
        let (tracker, torrent) = Tracker::with_torrent(place, &payload, Maker::Ccbt)?;
        tracker.start(place)?;
        let mut clients = leechers.clients.to_vec();
        // Who dials nobody has to be known to the tracker before those who dial.
        clients.sort_by_key(|client| client.dials_loopback());
        let mut others = Vec::new();
        for client in clients {
            let output = place.folder(client.name())?;
            let leech = client.start(place, &torrent, &output, limits.map(|(_, up)| up))?;
            others.push((leech, output));
            if !client.dials_loopback() {
                tracker.wait_for_peers(place, (0, others.len()))?;
            }
        }
        let listen = (CCBT, free_port()?).into();
        let mut get = Get::new("get", &torrent).with_tracker().listen(listen);
        get = get.option("--seed-time", "10m").option("--evict", leechers.evict);
        if let Some((_, up)) = limits {
            get = get.option("--limit-up", &up.to_string());
        }
        let get = get.start(place)?;
        tracker.wait_for_peers(place, (0, others.len() + 1))?;
        let listen = (CCBT, free_port()?).into();
        let up = limits.map_or("off".to_owned(), |(up, _)| up.to_string());
        let options = [&["--limit-up", up.as_str()], leechers.seed].concat();
        let since = Instant::now();
        let seed = Seed::start(place, &torrent, &payload.folder, listen, &options)?;
        Ok(Swarm { payload, others, get, seed, since })
    }

    /// Waits until all have everything, compares it, and prints how each fared, the first one first.
    fn finish(self, place: &Place) -> Result<Vec<Outcome>> {
        let mut finished: Vec<(Option<Client>, Duration)> = Vec::new();
        place.wait_for("everyone to be complete", || {
            let mut look = |client: Option<Client>, is_complete: &dyn Fn() -> Result<bool>| {
                if !finished.iter().any(|(other, _)| *other == client) && is_complete()? {
                    finished.push((client, self.since.elapsed()));
                }
                anyhow::Ok(())
            };
            self.get.ensure_running()?;
            look(None, &|| self.get.has_finished())?;
            for (other, _) in &self.others {
                look(Some(other.client), &|| other.is_complete())?;
            }
            Ok(finished.len() == self.others.len() + 1)
        })?;
        self.closed_no_leecher(place, &finished)?;
        let sent = self.seed.stop()?;
        self.payload.compare(&self.get.output, true)?;
        for (other, output) in &self.others {
            other.stop()?;
            self.payload.compare(output, other.client.makes_empty_files())?;
        }
        let mut outcomes = Vec::new();
        for (client, finished) in finished {
            let host = client.map_or(CCBT, |client| client.host(place));
            let from_seed = sent.get(&IpAddr::from(host)).copied().unwrap_or_default();
            let from_fellows = self.payload.length().saturating_sub(from_seed);
            let name = client.map_or("ccbt", Client::name);
            println!(
                "     {name} finished after {finished:.1?}, {from_fellows} bytes from fellow leechers"
            );
            outcomes.push(Outcome { client, finished, from_fellows });
        }
        Ok(outcomes)
    }

    /// Neither of our two programs closed a leecher by a rule before it and the closing one had everything.
    fn closed_no_leecher(
        &self,
        place: &Place,
        finished: &[(Option<Client>, Duration)],
    ) -> Result<()> {
        let finished_at = |client| {
            let mut all = finished.iter().filter(|(other, _)| *other == client);
            all.next().map(|(_, after)| self.since + *after)
        };
        let ours = (self.get.events()?, self.get.started, finished_at(None));
        let seeds = (self.seed.events()?, self.since, Some(self.since));
        for (events, started, complete) in [ours, seeds] {
            let by_rule =
                |event: &&Event| event.name == "peer_closed" && !event.text("policy").is_empty();
            for event in events.iter().filter(by_rule) {
                let host = event.peer.map(|peer| peer.ip());
                let is_it = |client: &Client| host == Some(client.host(place).into());
                let Some(client) = self.others.iter().map(|(other, _)| other.client).find(is_it)
                else {
                    continue;
                };
                let at = started + Duration::from_millis(event.time_ms) + SEEN_LATE;
                let done = [complete, finished_at(Some(client))]
                    .iter()
                    .all(|end| end.is_some_and(|end| end <= at));
                let name = client.name();
                // How late we see that a client is complete is the machine's matter, too.
                in_time!(done, "{name} was closed too early: {}", event.fields);
            }
        }
        Ok(())
    }
}
