//! `ccbt seed`, as a scenario starts it.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::events::{self, Event};
use super::namespace::Namespace;
use super::place::{Place, Running};

/// A `ccbt seed` at work.
pub(super) struct Seed {
    process: Running,
    log: PathBuf,
}

impl Seed {
    /// Seeds `torrent`, whose payload lies in `folder`, at `listen`; returns once it accepts connections.
    pub(super) fn start(
        place: &Place,
        torrent: &Path,
        folder: &Path,
        listen: SocketAddr,
        options: &[&str],
    ) -> Result<Self> {
        Self::start_in(place, torrent, folder, listen, options, None)
    }

    /// The same in a network of the scenario's own.
    pub(super) fn start_in(
        place: &Place,
        torrent: &Path,
        folder: &Path,
        listen: SocketAddr,
        options: &[&str],
        network: Option<&Namespace>,
    ) -> Result<Self> {
        Self::run(place, place.ccbt("seed")?, torrent, folder, listen, options, network)
    }

    /// The same in a process that may have so few descriptors.
    pub(super) fn with_descriptors(
        place: &Place,
        torrent: &Path,
        folder: &Path,
        listen: SocketAddr,
        descriptors: u32,
    ) -> Result<Self> {
        let ccbt = place.ccbt("seed")?;
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"")]);
        command.arg(ccbt.get_program());
        for (name, value) in ccbt.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self::run(place, command, torrent, folder, listen, &["--no-tracker"], None)
    }

    fn run(
        place: &Place,
        mut command: Command,
        torrent: &Path,
        folder: &Path,
        listen: SocketAddr,
        options: &[&str],
        network: Option<&Namespace>,
    ) -> Result<Self> {
        let log = place.path("seed.events");
        // One that ran here before has started too.
        if log.exists() {
            fs::remove_file(&log)?;
        }
        command.arg("seed").arg(torrent).arg("--data").arg(folder).arg("--events").arg(&log);
        command.args(["--no-lsd", "--no-pex", "--listen", &listen.to_string()]);
        // Who names a way into a DHT means that one.
        if !options.contains(&"--dht-bootstrap") {
            command.arg("--no-dht");
        }
        command.args(options);
        if let Some(network) = network {
            command = network.inside(&command);
        }
        let process = place.start("seed", &mut command)?;
        place.add_log(log.clone());
        place.wait_for("ccbt seed", || {
            process.ensure_running()?;
            Ok(events::read(&log).unwrap_or_default().iter().any(|event| event.name == "started"))
        })?;
        Ok(Seed { process, log })
    }

    /// The number of its process.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its events so far.
    pub(super) fn events(&self) -> Result<Vec<Event>> {
        events::read(&self.log)
    }

    /// Ends it, and says how many bytes of payload went to each host.
    pub(super) fn stop(&self) -> Result<HashMap<IpAddr, u64>> {
        let status = self.process.terminate()?;
        ensure!(status.code() == Some(143), "after SIGTERM ccbt seed ended with {status}");
        let mut sent = HashMap::new();
        for event in self.events()?.iter().filter(|event| event.name == "peer_closed") {
            let peer = event.peer.context("a peer_closed without its peer")?;
            let uploaded = event.fields["uploaded"].as_u64();
            *sent.entry(peer.ip()).or_default() +=
                uploaded.context("no uploaded in peer_closed")?;
        }
        Ok(sent)
    }
}
