//! Connections by the thousand, and more of them than there are descriptors: the good are served all the same.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use super::Scenario;
use super::assertions::same_bytes;
use super::download::Get;
use super::late::in_time;
use super::memory::{cpu_time, resident_kib};
use super::place::{Place, free_port};
use super::seed::Seed;
use super::torrent::{BLOCK, Content};
use super::wire::{Handshake, Heard, Message, Wire};

/// Idle connections to one seed.
const MANY: u32 = 10_000;
/// Connections that come at once.
const AT_ONCE: u32 = 5_000;
/// What an idle connection may cost.
const MOST_KIB: u64 = 12;
/// The good may take so much longer than alone.
const PRICE: Duration = Duration::from_secs(20);
/// Of the many, every so many-th asks for a block.
const ASKS: usize = 500;
/// Those who come at once come from so many threads.
const THREADS: u32 = 50;
/// A process with so few descriptors, and so many who want one.
const FEW: u32 = 64;
const CROWD: u32 = 100;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("connections/by-the-thousand", by_the_thousand).waiting(240),
        Scenario::new("connections/out-of-descriptors", out_of_descriptors).waiting(120),
    ]
}

fn by_the_thousand(place: &Place) -> Result<()> {
    let descriptors = u64::from(MANY + AT_ONCE) + 1000;
    raise_descriptors(descriptors)?;
    let content = Content::new(place, 256 * 4 * BLOCK, 4 * BLOCK)?;
    let (listen, seed) = seed(place, &content, &["--max-peers", "20000", "--evict", "all=off"])?;
    let alone = good(place, "alone", &content, listen)?;

    let before = resident_kib(seed.id())?;
    let began = Instant::now();
    let mut crowd = Vec::new();
    for number in 0..MANY {
        crowd.push(Wire::dial(
            from_elsewhere(place, number, listen)?,
            &handshake(&content, number)?,
        )?);
    }
    let accepted = began.elapsed();
    let beside = good(place, "beside", &content, listen)?;
    let grown = resident_kib(seed.id())?.saturating_sub(before);
    #[allow(clippy::cast_precision_loss, reason = "printed with one digit")]
    let each = grown as f64 / f64::from(MANY);
    println!("     {MANY} connections in {accepted:.1?}, {each:.1} KiB each");
    println!("     16 MiB: alone {alone:.2?}, beside them {beside:.2?}");
    ensure!(grown <= MOST_KIB * u64::from(MANY), "{each:.1} KiB for each connection");
    in_time!(beside <= alone + PRICE, "{beside:.2?} beside them, {alone:.2?} alone");
    for wire in crowd.iter_mut().step_by(ASKS) {
        served(wire)?;
    }

    let silent = burst_of_silence(place, &content, listen);
    let behind = good(place, "behind", &content, listen)?;
    let silent = silent.join().map_err(|_| anyhow!("a thread panicked"))??;
    println!("     while {} silent ones came at once: {behind:.2?}", silent.len());
    in_time!(behind <= alone + PRICE, "{behind:.2?} behind a burst, {alone:.2?} alone");
    drop(silent);
    let began = Instant::now();
    let burst = burst(place, &content, listen, true)?;
    println!("     {AT_ONCE} more at once: all shook hands in {:.1?}", began.elapsed());
    drop((burst, crowd));
    seed.stop().map(drop)
}

/// A hundred who shake hands and stay, at a seed with 64 descriptors.
fn out_of_descriptors(place: &Place) -> Result<()> {
    let content = Content::new(place, 64 * 4 * BLOCK, 4 * BLOCK)?;
    let folder = payload(place, &content)?;
    let listen = (place.host(1), free_port()?).into();
    let seed = Seed::with_descriptors(place, &content.torrent, &folder, listen, FEW)?;
    let mut crowd = Vec::new();
    let (mut refused, began) = (0, Instant::now());
    for number in 0..CROWD {
        match Wire::dial(from_elsewhere(place, number, listen)?, &handshake(&content, number)?) {
            Ok(wire) => crowd.push(wire),
            // It was told at once that there is no room.
            Err(_) => refused += 1,
        }
    }
    let told = began.elapsed();
    let took = good(place, "good", &content, listen)?;
    let worked = cpu_time(seed.id())?;
    println!(
        "     {} came in, {refused} were sent away, all in {told:.1?}; the good one took {took:.2?}, \
         the seed {worked:.1?} of CPU",
        crowd.len()
    );
    ensure!(refused > 0, "with {FEW} descriptors {CROWD} connections came in");
    in_time!(worked < Duration::from_secs(10), "{worked:.1?} of CPU for nothing");
    seed.stop().map(drop)
}

fn payload(place: &Place, content: &Content) -> Result<std::path::PathBuf> {
    let folder = place.folder("payload")?;
    fs::write(folder.join(&content.name), &content.bytes)?;
    Ok(folder)
}

fn seed(place: &Place, content: &Content, options: &[&str]) -> Result<(SocketAddr, Seed)> {
    let folder = payload(place, content)?;
    let listen = (place.host(1), free_port()?).into();
    let options = [options, &["--no-tracker"]].concat();
    Ok((listen, Seed::start(place, &content.torrent, &folder, listen, &options)?))
}

/// A download by somebody who wants it, and how long that took.
fn good(place: &Place, name: &str, content: &Arc<Content>, seed: SocketAddr) -> Result<Duration> {
    let get = Get::new(name, &content.torrent).peers([seed]).start(place)?;
    let took = get.finish()?;
    same_bytes(&get, content)?;
    Ok(took)
}

/// Asks for a block, and gets it.
fn served(wire: &mut Wire) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(60);
    wire.send(&Message::Interested)?;
    loop {
        match wire.receive(until)? {
            Heard::Message(Message::Unchoke) => {
                let length = u32::try_from(BLOCK)?;
                wire.send(&Message::Request { piece: 0, begin: 0, length })?;
            }
            Heard::Message(Message::Piece { .. }) => break,
            Heard::Message(_) => {}
            other => return Err(anyhow!("one of the many waited for a block: {other:?}")),
        }
    }
    wire.send(&Message::NotInterested)?;
    Ok(())
}

/// So many at once, who shake hands.
fn burst(
    place: &Place,
    content: &Arc<Content>,
    listen: SocketAddr,
    shake: bool,
) -> Result<Vec<TcpStream>> {
    let come = |thread: u32| {
        let (place, content) = (place.clone(), Arc::clone(content));
        thread::spawn(move || {
            let mut come = Vec::new();
            for number in 0..AT_ONCE / THREADS {
                let stream = from_elsewhere(&place, thread, listen)?;
                if shake {
                    let number = MANY + thread * AT_ONCE + number;
                    come.push(Wire::dial(stream, &handshake(&content, number)?)?.into_stream());
                } else {
                    come.push(stream);
                }
            }
            anyhow::Ok(come)
        })
    };
    let threads: Vec<_> = (0..THREADS).map(come).collect();
    let mut all = Vec::new();
    for thread in threads {
        all.extend(thread.join().map_err(|_| anyhow!("a thread panicked"))??);
    }
    Ok(all)
}

/// The same who say nothing, from now on.
fn burst_of_silence(
    place: &Place,
    content: &Arc<Content>,
    listen: SocketAddr,
) -> thread::JoinHandle<Result<Vec<TcpStream>>> {
    let (place, content) = (place.clone(), Arc::clone(content));
    thread::spawn(move || burst(&place, &content, listen, false))
}

/// A connection from one of 50 hosts that are not the good one's.
fn from_elsewhere(place: &Place, number: u32, to: SocketAddr) -> Result<TcpStream> {
    #[cfg(target_os = "linux")]
    {
        use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
        let host = u8::try_from(200 + number % 50)?;
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&socket, &SocketAddr::from((place.host(host), 0)))?;
        connect(&socket, &to)?;
        Ok(TcpStream::from(socket))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (place, number);
        Ok(TcpStream::connect(to)?)
    }
}

fn handshake(content: &Content, number: u32) -> Result<Handshake> {
    let id = format!("-XT0001-{number:012}");
    let id = id.as_bytes().try_into().context("a peer id has 20 bytes")?;
    Ok(Handshake::plain(content.info_hash, id))
}

/// This process, and those that it starts, may have so many descriptors.
fn raise_descriptors(wanted: u64) -> Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current.is_none_or(|current| current >= wanted) {
            return Ok(());
        }
        let enough = maximum.is_none_or(|maximum| maximum >= wanted);
        let maximum = if enough { maximum } else { Some(wanted) };
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).with_context(|| {
            format!("the system allows {current:?} descriptors, and {wanted} are needed")
        })?;
    }
    Ok(())
}
