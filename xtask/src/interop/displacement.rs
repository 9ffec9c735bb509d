//! Every slot is taken by a useless peer when a good one comes: it is in at once.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::announcer::Announcer;
use super::assertions::same_bytes;
use super::download::{Download, Get};
use super::events::Event;
use super::late::in_time;
use super::peers::{Link, Peer};
use super::place::{Place, free_port};
use super::torrent::{BLOCK, Content};
use super::wire::{Handshake, Message, Wire};

/// As many slots as useless peers: half of them mute, half of them with an empty bitfield.
const CROWD: u32 = 500;
/// The youngest of them has been useless so long when the good one comes.
const SETTLED: Duration = Duration::from_secs(3);
/// How soon it must be asked for a block.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How the good peer comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// It dials in.
    In,
    /// A tracker names it.
    Found,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    [("dials-in", Comes::In), ("found-by-tracker", Comes::Found)]
        .into_iter()
        .map(|(name, comes)| {
            Scenario::new(format!("displacement/good-one-{name}"), move |place| run(place, comes))
        })
        .collect()
}

fn run(place: &Place, comes: Comes) -> Result<()> {
    let announcer = Announcer::start(place.host(254))?;
    let url = announcer.url();
    let content = Content::tracked(place, 64 * 4 * BLOCK + 5, 4 * BLOCK, &url)?;
    let listen = SocketAddr::from((place.host(1), free_port()?));
    let mut get = Get::new("get", &content.torrent).listen(listen);
    get = get.option("--max-peers", &CROWD.to_string());
    if comes == Comes::Found {
        get = get.with_tracker();
    }
    let get = get.start(place)?;
    place.wait_for("the listener", || Ok(TcpStream::connect(listen).is_ok()))?;
    let crowd = crowd(listen, &content)?;
    place.wait_for("a full house", || Ok(count(&get, "peer_connected")? == CROWD as usize))?;
    place.wait_until(Instant::now() + SETTLED, || get.ensure_running())?;
    let gone = count(&get, "peer_closed")?;
    ensure!(gone == 0, "{gone} of the crowd had gone before the good one came");

    let serve = |link: &mut Link| {
        link.announce(|_| true)?;
        link.serve()
    };
    let (seed, came) = match comes {
        Comes::In => (Peer::dialing(listen, &content, serve)?, Instant::now()),
        Comes::Found => {
            let seed = Peer::listening(place.host(2), &content, serve)?;
            announcer.name([seed.address]);
            place.wait_for("the tracker's answer", || Ok(announcer.told_at().is_some()))?;
            (seed, announcer.told_at().context("nobody asked the tracker")?)
        }
    };
    get.finish()?;
    same_bytes(&get, &content)?;
    drop(crowd);
    let visit = seed.first_visit()?;
    let asked = visit.first_heard(|message| matches!(message, Message::Request { .. }));
    let asked = asked.context("it was asked for nothing")?.saturating_duration_since(came);
    println!("     asked for a block {:.1} ms after it came", asked.as_secs_f64() * 1e3);
    in_time!(asked <= AT_ONCE, "asked for a block after {asked:.3?}, not within {AT_ONCE:?}");
    let displaced =
        |event: &&Event| event.name == "peer_closed" && event.text("reason") == "displaced";
    let displaced = get.events()?.iter().filter(displaced).count();
    ensure!(displaced == 1, "{displaced} peers were displaced for one good one");
    Ok(())
}

/// Useless peers, connected.
fn crowd(to: SocketAddr, content: &Content) -> Result<Vec<Wire>> {
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        let id = format!("-XT0001-{number:012}");
        let id = id.as_bytes().try_into().context("a peer id has 20 bytes")?;
        let handshake = Handshake::plain(content.info_hash, id);
        let mut wire = Wire::dial(TcpStream::connect(to)?, &handshake)?;
        if number % 2 == 0 {
            wire.send(&Message::Bitfield(content.bitfield(|_| false)))?;
        }
        crowd.push(wire);
    }
    Ok(crowd)
}

fn count(download: &Download, name: &str) -> Result<usize> {
    Ok(download.events()?.iter().filter(|event| event.name == name).count())
}
