//! The programs that are measured, and how each is started: no limits, no discovery but the tracker, no encryption.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;
use serde_json::json;

const LIBTORRENT: &str = include_str!("../../versus/libtorrent_peer.py");

/// A program that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Ccbt,
    Libtorrent,
    Aria2,
    Rqbit,
    Transmission,
    /// What cannot be done without, and no more.
    Floor,
}

/// What a client is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Get,
    Seed,
    Check,
}

/// What it is given.
pub(super) struct Order<'a> {
    pub(super) job: Job,
    /// The ccbt under test.
    pub(super) binary: &'a Path,
    pub(super) torrent: &'a Path,
    /// Where the payload is, or comes to.
    pub(super) folder: &'a Path,
    /// An empty folder for what it remembers.
    pub(super) home: &'a Path,
    pub(super) port: u16,
    /// How many connections it must be able to hold.
    pub(super) connections: u32,
}

/// How it is started, and how one knows that it has finished.
pub(super) struct Start {
    pub(super) command: Command,
    /// It does not end when it is complete, but this file is there then.
    pub(super) done: Option<PathBuf>,
}

impl Client {
    pub(super) const ALL: [Client; 6] = [
        Client::Ccbt,
        Client::Libtorrent,
        Client::Aria2,
        Client::Rqbit,
        Client::Transmission,
        Client::Floor,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Client::Ccbt => "ccbt",
            Client::Libtorrent => "libtorrent",
            Client::Aria2 => "aria2",
            Client::Rqbit => "rqbit",
            Client::Transmission => "transmission",
            Client::Floor => "floor",
        }
    }

    /// How it is installed, if this machine lacks it.
    pub(super) fn missing(self) -> Option<&'static str> {
        let (program, arguments, install) = match self {
            Client::Ccbt | Client::Floor => return None,
            Client::Libtorrent => {
                ("python3", &["-c", "import libtorrent"][..], "python3 -m pip install libtorrent")
            }
            Client::Aria2 => ("aria2c", &["--version"][..], "apt-get install aria2"),
            Client::Rqbit => ("rqbit", &["--version"][..], "cargo install --locked rqbit"),
            Client::Transmission => {
                ("transmission-cli", &["--version"][..], "apt-get install transmission-cli")
            }
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        (!command.status().is_ok_and(|status| status.success())).then_some(install)
    }

    /// Does it dial peers at loopback addresses? Who does not must be dialed.
    pub(super) fn dials_loopback(self) -> bool {
        self != Client::Transmission
    }

    /// The command for it; the floor has none, because it does nothing but the lean programs' work.
    pub(super) fn start(self, order: &Order<'_>) -> Result<Start> {
        let mut done = None;
        let mut command = match self {
            Client::Ccbt | Client::Floor => ccbt(order),
            Client::Libtorrent => libtorrent(order),
            Client::Aria2 => aria2(order),
            Client::Rqbit => rqbit(order),
            Client::Transmission => {
                done = (order.job == Job::Get).then(|| order.home.join("done"));
                transmission(order, done.as_deref())?
            }
        };
        command.env("HOME", order.home).env("XDG_CONFIG_HOME", order.home).current_dir(order.home);
        command.env_remove("XDG_STATE_HOME");
        Ok(Start { command, done })
    }
}

fn ccbt(order: &Order<'_>) -> Command {
    let mut command = Command::new(order.binary);
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, order.port)).to_string();
    let connections = order.connections.to_string();
    match order.job {
        Job::Get => command.arg("get").arg(order.torrent).arg("--output").arg(order.folder),
        Job::Seed => {
            command.args(["seed", "--trust"]).arg(order.torrent).arg("--data").arg(order.folder)
        }
        Job::Check => {
            command.args(["verify", "--quiet"]).arg(order.torrent).arg("--data").arg(order.folder);
            return command;
        }
    };
    command.args(["--quiet", "--no-dht", "--no-lsd", "--no-pex", "--listen", &listen]);
    command.args(["--max-peers", &connections, "--evict", "all=off"]);
    command
}

fn libtorrent(order: &Order<'_>) -> Command {
    let mut command = Command::new("python3");
    let job = match order.job {
        Job::Get => "get",
        Job::Seed => "seed",
        Job::Check => "check",
    };
    command.args(["-c", LIBTORRENT, job]).arg(order.torrent).arg(order.folder);
    command.arg(order.port.to_string());
    command
}

fn aria2(order: &Order<'_>) -> Command {
    let mut command = Command::new("aria2c");
    command
        .args(["--no-conf", "--quiet", "--disable-ipv6", "--async-dns=false"])
        .args(["--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false"])
        .args(["--enable-peer-exchange=false", "--file-allocation=none", "--allow-overwrite"])
        .args(["--bt-max-peers=0", "--bt-max-open-files=6000", "--disk-cache=64M"])
        .args(["--auto-save-interval=0", "--summary-interval=0"])
        .arg(format!("--listen-port={}", order.port))
        .arg(format!("--dir={}", order.folder.display()));
    match order.job {
        Job::Get => command.arg("--seed-time=0"),
        Job::Seed => command.args(["--bt-seed-unverified", "--seed-ratio=0.0"]),
        Job::Check => command.args(["--check-integrity", "--hash-check-only"]),
    };
    command.arg(order.torrent);
    command
}

fn rqbit(order: &Order<'_>) -> Command {
    let mut command = Command::new("rqbit");
    command
        .args(["-v", "warn", "--disable-dht", "--disable-lsd", "--disable-upnp-port-forward"])
        .args(["--ipv4-only", "--listen-ip", "127.0.0.1", "--peer-read-write-timeout", "600s"])
        .args(["--listen-port", &order.port.to_string()])
        .args(["--peer-limit", &order.connections.to_string()])
        .args(["download", "--disable-http-api", "--overwrite", "-o"])
        .arg(order.folder);
    // With everything there, it checks and is done: that is its way to verify.
    if order.job != Job::Seed {
        command.arg("-e");
    }
    command.arg(order.torrent);
    command
}

fn transmission(order: &Order<'_>, done: Option<&Path>) -> Result<Command> {
    let settings = json!({
        "cache-size-mb": 64, "dht-enabled": false, "encryption": 0, "idle-seeding-limit-enabled": false,
        "lpd-enabled": false, "peer-limit-global": order.connections,
        "peer-limit-per-torrent": order.connections, "peer-port": order.port, "pex-enabled": false,
        "port-forwarding-enabled": false, "preallocation": 0, "ratio-limit-enabled": false,
        "rpc-enabled": false, "upload-slots-per-torrent": 1000, "utp-enabled": false,
    });
    fs::write(order.home.join("settings.json"), settings.to_string())?;
    let mut command = Command::new("transmission-cli");
    command.arg("-g").arg(order.home).arg("-w").arg(order.folder);
    command.args(["-p", &order.port.to_string(), "-M", "-et", "-D", "-U", "-B"]);
    if let Some(done) = done {
        let hook = order.home.join("hook.sh");
        fs::write(&hook, format!("#!/bin/sh\n: > '{}'\n", done.display()))?;
        fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        command.arg("-f").arg(hook);
    }
    if order.job == Job::Check {
        command.arg("-v");
    }
    command.arg(order.torrent);
    Ok(command)
}
