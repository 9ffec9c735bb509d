//! Other people's clients as seeds.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use serde_json::json;

use super::place::{Place, free_port};
use super::tools::Tool;

const SEED: &str = include_str!("../../interop/seed.py");

/// A client that seeds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Client {
    Aria2,
    Transmission,
    Libtorrent,
}

impl Client {
    pub(super) fn name(self) -> &'static str {
        match self {
            Client::Aria2 => "aria2",
            Client::Transmission => "transmission",
            Client::Libtorrent => "libtorrent",
        }
    }

    pub(super) fn tool(self) -> Tool {
        match self {
            Client::Aria2 => Tool::Aria2,
            Client::Transmission => Tool::Transmission,
            Client::Libtorrent => Tool::Libtorrent,
        }
    }

    /// Seeds `torrent`, whose payload lies in `folder`; returns where, once it accepts connections.
    pub(super) fn seed(self, place: &Place, torrent: &Path, folder: &Path) -> Result<SocketAddr> {
        let port = free_port()?;
        match self {
            Client::Aria2 => aria2(place, torrent, folder, port),
            Client::Transmission => transmission(place, torrent, folder, port),
            Client::Libtorrent => libtorrent(place, torrent, folder, port),
        }?;
        Ok((Ipv4Addr::LOCALHOST, port).into())
    }
}

fn aria2(place: &Place, torrent: &Path, folder: &Path, port: u16) -> Result<()> {
    let mut command = Command::new("aria2c");
    command
        .args(["--no-conf", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false"])
        .args([
            "--enable-peer-exchange=false",
            "--disable-ipv6",
            "--async-dns=false",
            "--summary-interval=0",
        ])
        .args([
            "--bt-seed-unverified",
            "--seed-ratio=0.0",
            "--console-log-level=notice",
            "--enable-color=false",
        ])
        .arg(format!("--listen-port={port}"))
        .arg(format!("--dir={}", folder.display()))
        .arg(torrent);
    let running = place.start("aria2", &mut command)?;
    place.wait_for("aria2 to listen", || {
        running.ensure_running()?;
        Ok(running.output().contains(&format!("listening on TCP port {port}")))
    })
}

fn transmission(place: &Place, torrent: &Path, folder: &Path, port: u16) -> Result<()> {
    let home = place.folder("transmission-home")?;
    let rpc = free_port()?;
    let settings = json!({
        "dht-enabled": false,
        "lpd-enabled": false,
        "pex-enabled": false,
        "utp-enabled": false,
        "port-forwarding-enabled": false,
        "ratio-limit-enabled": false,
        "idle-seeding-limit-enabled": false,
        "peer-port": port,
        "rpc-bind-address": "127.0.0.1",
        "rpc-port": rpc,
        "rpc-authentication-required": false,
        "download-dir": folder,
    });
    fs::write(home.join("settings.json"), settings.to_string())?;
    let mut command = Command::new("transmission-daemon");
    command.args(["--foreground", "--config-dir"]).arg(&home);
    let daemon = place.start("transmission", &mut command)?;
    let remote = |arguments: &[&str]| -> Result<(bool, String)> {
        let mut command = Command::new("transmission-remote");
        let output = command
            .arg(format!("127.0.0.1:{rpc}"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    place.wait_for("transmission-daemon", || {
        daemon.ensure_running()?;
        Ok(remote(&["--list"])?.0)
    })?;
    let (added, answer) = remote(&["--add", &torrent.to_string_lossy()])?;
    ensure!(added, "transmission did not take the torrent: {answer}");
    place.wait_for("transmission to verify its payload", || {
        Ok(remote(&["--list"])?.1.contains("100%"))
    })
}

fn libtorrent(place: &Place, torrent: &Path, folder: &Path, port: u16) -> Result<()> {
    let mut command = Command::new("python3");
    command.args(["-u", "-c", SEED]).arg(torrent).arg(folder).arg(port.to_string());
    let running = place.start("libtorrent", &mut command)?;
    place.wait_for("libtorrent to verify its payload", || {
        running.ensure_running()?;
        Ok(running.output().contains("seeding"))
    })
}
