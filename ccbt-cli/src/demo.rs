//! `ccbt demo`: a download on this machine, with peers that are worth their slot and peers that are
//! not, through the same code as `ccbt get`.

mod cast;
mod dead_weight;
mod judge;
mod seed;
mod tracker;

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use ccbt_peer::wire::Metainfo;
use ccbt_peer::wire::metainfo::build;
use clap::Parser;
use tokio::net::TcpListener;

use crate::args::{Cli, Command, Demo, Get};
use crate::exit::{Exit, Failure};
use crate::get;
use crate::report::{Report, Stream, units};
use crate::signals::Signals;
use cast::{Actor, Role};
use dead_weight::DeadWeight;
use judge::Judge;
use seed::{Brake, Seeds};
use tracker::Tracker;

const NAME: &str = "payload.bin";
const PAYLOAD: usize = 24 << 20;
const PIECE: u32 = 128 << 10;
/// The rules' own numbers are for the internet; these fit a person's patience.
const RULES: [&str; 3] = ["bitfield-timeout=3s", "no-interest=1s", "health=2s/2s"];

/// Who plays along.
const CAST: [Role; 10] = [
    Role::Mute,
    Role::Seed,
    Role::Empty,
    Role::Spent { first: 0 },
    Role::Chatter,
    Role::Choking,
    Role::Empty,
    Role::Seed,
    Role::Spent { first: 2 },
    Role::Mute,
];

/// Sets the scene, downloads, and judges what happened.
pub(crate) async fn run(args: &Demo, signals: &mut Signals) -> Result<(), Failure> {
    let folder = tempfile::Builder::new()
        .prefix("ccbt-demo-")
        .tempdir()
        .map_err(disk("temporary folder"))?;
    let mut report = Report::new(Stream::Stdout, get::detail(args.talk));
    let played = signals.guard(Scene::set(folder.path())).await?;
    let result = match played {
        Ok(scene) => scene.play(folder.path(), &mut report, signals).await,
        Err(failure) => Err(failure),
    };
    report.clear();
    folder.close().map_err(disk("temporary folder"))?;
    result
}

/// Everything that the download meets.
struct Scene {
    payload: Vec<u8>,
    cast: Vec<Actor>,
    brake: Brake,
    seeds: Seeds,
    _dead_weight: DeadWeight,
    _tracker: Tracker,
}

impl Scene {
    async fn set(folder: &Path) -> Result<Self, Failure> {
        let tracker = listen().await?;
        let payload = payload();
        let url = format!("http://{}/announce", addr(&tracker)?);
        let torrent = build::single_file(NAME, PIECE, &payload, Some(&url));
        fs::write(folder.join("demo.torrent"), &torrent).map_err(disk("demo.torrent"))?;
        let metainfo =
            Metainfo::parse(&torrent).map_err(Failure::of(Exit::Failed, "demo.torrent"))?;

        let brake = Brake::default();
        let mut seeds = Seeds::new(&metainfo, payload.clone(), &brake);
        let mut dead_weight = DeadWeight::new(&metainfo, &payload);
        let mut cast = Vec::new();
        for role in CAST {
            let addr = match role {
                Role::Seed => seeds.add().await?,
                _ => {
                    let listener = listen().await?;
                    let addr = addr(&listener)?;
                    dead_weight.add(role, listener);
                    addr
                }
            };
            cast.push(Actor { role, addr });
        }
        let addrs: Vec<SocketAddr> = cast.iter().map(|actor| actor.addr).collect();
        let _tracker = Tracker::run(tracker, addrs);
        Ok(Self { payload, cast, brake, seeds, _dead_weight: dead_weight, _tracker })
    }

    async fn play(
        self,
        folder: &Path,
        report: &mut Report,
        signals: &mut Signals,
    ) -> Result<(), Failure> {
        let output = folder.join("output");
        let get = get_args(&folder.join("demo.torrent"), &output)?;
        report.say(&format!(
            "{}, all found through one tracker:",
            units::count(self.cast.len(), "peer", "peers")
        ));
        cast::census(&self.cast).iter().for_each(|line| report.say(line));
        report.say(&format!("rules with short timers: {}", RULES.join(", ")));
        let mut judge = Judge::new(self.cast);
        let brake = self.brake;
        let mut watcher = |event: &_| {
            let line = judge.hear(event);
            if judge.all_dropped() {
                brake.release();
            }
            line
        };
        let result = get::download(&get, report, &mut watcher, signals).await;
        report.clear();
        brake.release();
        self.seeds.stop().await;
        let done = result?;

        judge.kept().iter().for_each(|line| report.say(line));
        let same = fs::read(output.join(NAME)).map_err(disk(NAME))? == self.payload;
        report.say(&get::summary(&done));
        let mut broken = judge.broken();
        if !same {
            broken.push("the payload differs from the one that was sent".to_owned());
        }
        if !broken.is_empty() {
            return Err(Failure::new(Exit::Failed, format_args!("demo: {}", broken.join("; "))));
        }
        report.say(&format!("payload: all {} bytes are equal", self.payload.len()));
        report.say(&format!("rules: {}", judge.by_rule()));
        report.say("kept: the choking peer has what we need, and choking is no reason to drop it");
        Ok(())
    }
}

/// The very command that a person would type.
fn get_args(torrent: &Path, output: &Path) -> Result<Get, Failure> {
    let mut line: Vec<OsString> =
        vec!["ccbt".into(), "get".into(), torrent.into(), "--output".into(), output.into()];
    line.extend(
        ["--listen", "127.0.0.1:0", "--stop-timeout", "5s", "--no-state", "--no-dht"]
            .map(OsString::from),
    );
    // Who is complete with us has done its part, and is to stay until we leave.
    line.extend(["--evict", "redundant=off"].map(OsString::from));
    line.extend(RULES.into_iter().flat_map(|rule| ["--evict", rule]).map(OsString::from));
    match Cli::try_parse_from(line).map(|cli| cli.command) {
        Ok(Command::Get(get)) => Ok(get),
        Ok(_) => Err(Failure::new(Exit::Failed, "demo: not a download")),
        Err(error) => Err(Failure::new(Exit::Failed, error)),
    }
}

async fn listen() -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(Failure::of(Exit::Failed, "127.0.0.1"))
}

fn addr(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(Failure::of(Exit::Failed, "127.0.0.1"))
}

fn disk<E: std::fmt::Display>(culprit: &str) -> impl FnOnce(E) -> Failure {
    Failure::of(Exit::Disk, culprit.to_owned())
}

/// Bytes without a pattern, the same in every run.
fn payload() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..PAYLOAD / 8).flat_map(|_| next()).collect()
}
