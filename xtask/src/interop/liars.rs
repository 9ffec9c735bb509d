//! Peers that send wrong blocks, hardly any, or none: what they cost a download that honest peers serve.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::assertions::same_bytes;
use super::download::Get;
use super::late::in_time;
use super::peers::{Link, Peer, Served};
use super::place::Place;
use super::torrent::{BLOCK, Content};
use super::wire::{Message, encode};

const PIECES: usize = 24;
/// The others are there so long before the honest seeds say what they have, and are asked first.
const AHEAD: Duration = Duration::from_millis(500);
const BLOCKS_OF_A_PIECE: usize = 16;
/// Blocks a second that a liar sends, and all honest seeds together.
const LIAR: usize = 40;
const HONEST: usize = 120;
/// A slow liar does not get its piece done; honest peers send the rest of it.
const SLOW_LIAR: usize = 4;
/// A liar that falls silent does so after so many blocks.
const LIES: usize = 5;
/// What the trickler sends, and how often: 50 bytes a second.
const DROP: usize = 10;
const DROP_EVERY: Duration = Duration::from_millis(200);

/// What a peer that is not honest does.
type Script = fn(&mut Link) -> Result<()>;

/// So many honest seeds, and beside them so many that are not.
#[derive(Clone, Copy)]
struct Company {
    pieces: usize,
    honest: u8,
    others: u8,
    script: Script,
    /// The others may cost so much time.
    bar: Duration,
    /// All of them are found out.
    banned: bool,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let one = |honest, script, seconds, banned| {
        let bar = Duration::from_secs(seconds);
        Company { pieces: PIECES, honest, others: 1, script, bar, banned }
    };
    let silent = one(1, lie_and_hush as Script, 10, false);
    let cases = [
        ("liars/one-beside-three", one(3, lie, 2, true)),
        ("liars/one-in-a-mixed-piece", one(3, lie_slowly, 2, true)),
        ("liars/five-that-fall-silent", Company { others: 5, ..silent }),
        ("snubbers/fifty-bytes-a-second", one(1, trickle, 5, false)),
        ("snubbers/fifty-bytes-a-second/small", Company { pieces: 1, ..one(1, trickle, 5, false) }),
        ("snubbers/answers-nothing", one(1, answer_nothing, 5, false)),
        (
            "snubbers/answers-nothing/small",
            Company { pieces: 1, ..one(1, answer_nothing, 5, false) },
        ),
    ];
    let scenario = |(name, company): (&str, Company)| {
        Scenario::new(name, move |place| company.run(place)).waiting(75)
    };
    cases.into_iter().map(scenario).collect()
}

impl Company {
    fn run(self, place: &Place) -> Result<()> {
        let piece = BLOCKS_OF_A_PIECE * BLOCK;
        let content = Content::new(place, self.pieces * piece - 777, piece)?;
        let alone = self.download(place, "alone", &content, 0)?;
        let beside = self.download(place, "beside", &content, self.others)?;
        println!("     without {alone:.2?}, with {beside:.2?}");
        in_time!(
            beside <= alone + self.bar,
            "complete after {beside:.2?}, without them after {alone:.2?}: more than {:?} later",
            self.bar
        );
        Ok(())
    }

    /// Downloads with so many of the others beside the honest ones, and says how long that took.
    fn download(
        self,
        place: &Place,
        name: &str,
        content: &Arc<Content>,
        others: u8,
    ) -> Result<Duration> {
        let others = (0..others)
            .map(|number| Peer::listening(place.host(100 + number), content, self.script))
            .collect::<Result<Vec<_>>>()?;
        let pace = HONEST / usize::from(self.honest);
        let seed = move |link: &mut Link| {
            link.serve_until(Instant::now() + AHEAD, |_| false)?;
            keep_pace(link, pace, usize::MAX);
            link.announce(|_| true)?;
            link.serve()
        };
        let seeds = (0..self.honest)
            .map(|number| Peer::listening(place.host(1 + number), content, seed))
            .collect::<Result<Vec<_>>>()?;
        let peers = others.iter().chain(&seeds).map(|peer| peer.address);
        let get = Get::new(name, &content.torrent).peers(peers).start(place)?;
        let took = get.finish()?;
        same_bytes(&get, content)?;
        let events = get.events()?;
        let bad = events.iter().filter(|event| event.text("reason") == "sent-bad-piece");
        let bad: Vec<SocketAddr> = bad.filter_map(|event| event.peer).collect();
        let honest = seeds.iter().find(|seed| bad.contains(&seed.address));
        ensure!(honest.is_none(), "an honest seed was closed for a bad piece");
        if self.banned {
            let liars: Vec<SocketAddr> = others.iter().map(|liar| liar.address).collect();
            ensure!(bad == liars, "closed for a bad piece: {bad:?}; the liars: {liars:?}");
            let dials: usize = others.iter().map(|liar| liar.dials().len()).sum();
            ensure!(dials == liars.len(), "{dials} dials of {} liars", liars.len());
        }
        for other in &others {
            let visit = other.first_visit()?;
            let is_request = |message: &Message| matches!(message, Message::Request { .. });
            visit.first_heard(is_request).context("who is asked for nothing proves nothing")?;
        }
        let wrong = events.iter().filter(|event| event.name == "piece_failed").count();
        if wrong > 0 {
            println!("     {wrong} wrong pieces, {} peers closed for that", bad.len());
        }
        Ok(took)
    }
}

/// Serves so many blocks a second, and so many in all.
fn keep_pace(link: &mut Link, blocks_a_second: usize, most: usize) {
    let pace = move |elapsed: Duration| {
        let due = elapsed.as_millis() * blocks_a_second as u128 / 1000;
        most.min(usize::try_from(due).unwrap_or(usize::MAX))
    };
    link.keep_pace(Arc::new(pace), Instant::now(), Arc::new(Mutex::new(0)));
}

fn lie(link: &mut Link) -> Result<()> {
    link.lies = 1;
    keep_pace(link, LIAR, usize::MAX);
    link.announce(|_| true)?;
    link.serve()
}

fn lie_slowly(link: &mut Link) -> Result<()> {
    link.lies = 2;
    keep_pace(link, SLOW_LIAR, usize::MAX);
    link.announce(|_| true)?;
    link.serve()
}

fn lie_and_hush(link: &mut Link) -> Result<()> {
    link.lies = 1;
    keep_pace(link, LIAR, LIES);
    link.announce(|_| true)?;
    link.serve()
}

fn answer_nothing(link: &mut Link) -> Result<()> {
    keep_pace(link, 0, 0);
    link.announce(|_| true)?;
    link.serve()
}

/// Begins the first block that it is asked for, and sends it drop by drop.
fn trickle(link: &mut Link) -> Result<()> {
    keep_pace(link, 0, 0);
    link.announce(|_| true)?;
    let mut asked = None;
    link.serve_until(Instant::now() + Duration::from_secs(60), |message| {
        if let Message::Request { piece, begin, .. } = message {
            asked = Some((*piece, *begin));
        }
        asked.is_some()
    })?;
    let Some((piece, begin)) = asked else { return Ok(()) };
    for drop in encode(&Message::Piece { piece, begin, data: vec![0; BLOCK] }).chunks(DROP) {
        let next = Instant::now() + DROP_EVERY;
        if !link.drip(drop)? || link.serve_until(next, |_| false)? == Served::Closed {
            break;
        }
    }
    Ok(())
}
