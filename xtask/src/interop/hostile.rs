//! What each kind of hostile peer costs in memory, with all rules off: nobody is closed for what he does unless
//! it breaks the protocol.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use super::Scenario;
use super::memory::{peak_kib, resident_kib};
use super::place::{Place, free_port};
use super::seed::Seed;
use super::torrent::{BLOCK, Content};
use super::wire::{Handshake, Message, encode};

/// So many peers of each kind.
const PEERS: u32 = 100;
/// They do what they do for so long.
const TIME: Duration = Duration::from_secs(2);
/// What one of them may cost: the bound of docs/reliability.md.
const MOST_KIB: u64 = 640;
/// And what the process may take with all of them.
const PEAK_KIB: u64 = 100 << 10;

/// What a peer of some kind sends.
struct Kind {
    name: &'static str,
    handshake: usize,
    first: Vec<u8>,
    again: Vec<u8>,
    /// Between two times.
    every: Duration,
    reads: bool,
    /// It ends what it sends at once, and stays.
    half: bool,
}

impl Kind {
    /// Shakes hands, and says nothing.
    fn new(name: &'static str) -> Self {
        Kind {
            name,
            handshake: 68,
            first: Vec::new(),
            again: Vec::new(),
            every: Duration::ZERO,
            reads: true,
            half: false,
        }
    }

    fn sends(self, messages: &[Message]) -> Self {
        Kind { first: messages.iter().flat_map(encode).collect(), ..self }
    }

    /// The same messages for ever.
    fn floods(self, messages: &[Message]) -> Self {
        let once: Vec<u8> = messages.iter().flat_map(encode).collect();
        Kind { again: once.repeat((16 * 1024 / once.len()).max(1)), ..self }
    }
}

fn kinds(content: &Content) -> Vec<Kind> {
    let pieces = content.pieces();
    let length = u32::try_from(BLOCK).unwrap_or(u32::MAX);
    let request = |piece| Message::Request { piece, begin: 0, length };
    let requests: Vec<Message> = (0..250).map(|n| request(n % pieces)).collect();
    let cancels: Vec<Message> =
        (0..pieces).map(|piece| Message::Cancel { piece, begin: 0, length }).collect();
    let haves: Vec<Message> = (0..pieces).map(Message::Have).collect();
    let hello = |bytes: &[u8]| Message::Other(20, [&[0], bytes].concat());
    let pex: Vec<u8> = (0..50_u32)
        .flat_map(|n| (fastrand::u32(..) ^ n).to_be_bytes().into_iter().chain([26, 225]))
        .collect();
    let pex = [b"d5:added300:".as_slice(), &pex, b"e"].concat();
    let long = |body: u32, sent: usize| {
        let mut bytes = body.to_be_bytes().to_vec();
        bytes.extend([20, 9]);
        bytes.resize(sent, 0);
        bytes
    };
    let mute = Kind { handshake: 0, ..Kind::new("silent, no handshake") };
    let slow = Kind { handshake: 40, ..Kind::new("half a handshake") };
    let half = Kind { half: true, ..Kind::new("half-open close") };
    vec![
        mute,
        slow,
        half,
        Kind::new("idle"),
        Kind { first: vec![0xff; 4], ..Kind::new("length of 4 GiB") },
        Kind { first: long(1 << 20, 1 << 19), ..Kind::new("half of a message of 1 MiB") },
        Kind { first: long(128 << 10, 127 << 10), ..Kind::new("127 of 128 KiB of a message") },
        Kind { again: vec![0], every: Duration::from_millis(100), ..Kind::new("dripped frame") }
            .with_first(long(128 << 10, 6)),
        Kind { reads: false, ..Kind::new("requests never read") }
            .sends(&[Message::Interested])
            .floods(&requests),
        Kind::new("flood of requests").sends(&[Message::Interested]).floods(&requests),
        Kind::new("flood of cancels").floods(&cancels),
        Kind::new("flood of keep-alives").floods(&[Message::KeepAlive]),
        Kind::new("flood of haves").floods(&haves),
        Kind::new("flips of interest").floods(&[Message::Interested, Message::NotInterested]),
        Kind::new("flood of bitfields").floods(&[Message::Bitfield(content.bitfield(|n| n > 0))]),
        Kind::new("flood of extension handshakes")
            .floods(&[hello(b"d1:md11:ut_metadatai1e6:ut_pexi2eee")]),
        Kind::new("flood of addresses").floods(&[
            hello(b"d1:md6:ut_pexi1eee"),
            Message::Other(20, [&[1], pex.as_slice()].concat()),
        ]),
    ]
}

impl Kind {
    fn with_first(self, first: Vec<u8>) -> Self {
        Kind { first, ..self }
    }
}

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new("hostile/memory", memory).waiting(240)]
}

/// Prints a line for each kind.
fn memory(place: &Place) -> Result<()> {
    let content = Content::new(place, 256 * BLOCK, BLOCK)?;
    let folder = place.folder("payload")?;
    fs::write(folder.join(&content.name), &content.bytes)?;
    for kind in kinds(&content) {
        let listen = (place.host(1), free_port()?).into();
        let options = ["--no-tracker", "--max-peers", "1000", "--evict", "all=off"];
        let seed = Seed::start(place, &content.torrent, &folder, listen, &options)?;
        let before = resident_kib(seed.id())?;
        let name = kind.name;
        let crowd = Crowd::come(kind, &content, listen)?;
        let until = Instant::now() + TIME;
        place.wait_until(until, || Ok(()))?;
        let (grown, peak) = (resident_kib(seed.id())?.saturating_sub(before), peak_kib(seed.id())?);
        crowd.go()?;
        seed.stop()?;
        #[allow(clippy::cast_precision_loss, reason = "printed with one digit")]
        let each = grown as f64 / f64::from(PEERS);
        #[allow(clippy::cast_precision_loss, reason = "printed with one digit")]
        let peak_mib = peak as f64 / 1024.0;
        println!("     {name:32} {each:7.1} KiB each, {peak_mib:5.1} MiB at the most");
        ensure!(grown <= MOST_KIB * u64::from(PEERS), "{name}: {each:.1} KiB each");
        ensure!(peak <= PEAK_KIB, "{name}: {peak_mib:.1} MiB in all");
    }
    Ok(())
}

/// Peers at work.
struct Crowd {
    over: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Crowd {
    fn come(kind: Kind, content: &Content, listen: SocketAddr) -> Result<Self> {
        let (kind, over) = (Arc::new(kind), Arc::new(AtomicBool::new(false)));
        let mut threads = Vec::new();
        for number in 0..PEERS {
            let mut id = *b"-XT0001-............";
            id[16..].copy_from_slice(&number.to_be_bytes());
            let handshake = Handshake::plain(content.info_hash, id).talkative().bytes();
            let mut stream = TcpStream::connect(listen)?;
            stream.write_all(&handshake[..kind.handshake])?;
            let (kind, over) = (Arc::clone(&kind), Arc::clone(&over));
            threads.push(thread::spawn(move || act(&kind, &mut stream, &over)));
        }
        Ok(Crowd { over, threads })
    }

    fn go(self) -> Result<()> {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().map_err(|_| anyhow!("a peer panicked"))?;
        }
        Ok(())
    }
}

/// Does what its kind does until it is over. That ccbt closes is no failure: some of them break the protocol.
fn act(kind: &Kind, stream: &mut TcpStream, over: &AtomicBool) {
    let short = Some(Duration::from_millis(5));
    let _ = stream.set_read_timeout(short);
    let _ = stream.set_write_timeout(short);
    let mut sent = stream.write(&kind.first).unwrap_or(0);
    if kind.half {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut out = kind.first[sent..].to_vec();
    let mut heard = vec![0; 64 * 1024];
    while !over.load(Ordering::Relaxed) {
        if out.is_empty() {
            out.extend_from_slice(&kind.again);
        }
        // What is half sent goes on where it stopped: the stream stays in step.
        sent = stream.write(&out).unwrap_or(0);
        out.drain(..sent);
        if kind.reads {
            let _ = stream.read(&mut heard);
        } else {
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(kind.every);
    }
}
