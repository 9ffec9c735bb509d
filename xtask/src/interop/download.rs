//! `ccbt get`, as a scenario starts it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::events::{self, Event};
use super::late::in_time;
use super::namespace::Namespace;
use super::place::{Place, Running};

/// The command line of a download.
pub(super) struct Get {
    name: String,
    torrent: PathBuf,
    output: Option<PathBuf>,
    arguments: Vec<String>,
    tracker: bool,
    local: Option<Namespace>,
    pex: bool,
    dht: bool,
}

impl Get {
    /// Of `torrent` into a folder named `name`, with no discovery at all.
    pub(super) fn new(name: &str, torrent: &Path) -> Self {
        Get {
            name: name.to_owned(),
            torrent: torrent.to_owned(),
            output: None,
            arguments: Vec::new(),
            tracker: false,
            local: None,
            pex: false,
            dht: false,
        }
    }

    /// From these peers, in this order.
    pub(super) fn peers(mut self, peers: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.arguments
            .extend(peers.into_iter().flat_map(|peer| ["--peer".to_owned(), peer.to_string()]));
        self
    }

    /// Listening there.
    pub(super) fn listen(self, address: SocketAddr) -> Self {
        self.option("--listen", &address.to_string())
    }

    /// With one more option.
    pub(super) fn option(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// With one more switch, or an option with its value.
    pub(super) fn switch(mut self, name: &str) -> Self {
        self.arguments.push(name.to_owned());
        self
    }

    /// Into this folder rather than one of its own.
    pub(super) fn into(mut self, output: &Path) -> Self {
        self.output = Some(output.to_owned());
        self
    }

    /// The torrent's trackers may be asked.
    pub(super) fn with_tracker(mut self) -> Self {
        self.tracker = true;
        self
    }

    /// Inside this network, in which it may look for peers.
    pub(super) fn in_local_network(mut self, network: &Namespace) -> Self {
        self.local = Some(network.clone());
        self
    }

    /// Peers may tell of peers.
    pub(super) fn with_pex(mut self) -> Self {
        self.pex = true;
        self
    }

    /// The DHT may be asked.
    pub(super) fn with_dht(mut self) -> Self {
        self.dht = true;
        self
    }

    /// Starts it.
    pub(super) fn start(self, place: &Place) -> Result<Download> {
        let output = self.output.map_or_else(|| place.folder(&self.name), Ok)?;
        let log = place.path(&format!("{}.events", self.name));
        let mut command = place.ccbt(&self.name)?;
        command.arg("get").arg(&self.torrent).arg("-o").arg(&output).arg("--events").arg(&log);
        command.args(self.arguments);
        if !self.pex {
            command.arg("--no-pex");
        }
        if !self.dht {
            command.arg("--no-dht");
        }
        if !self.tracker {
            command.arg("--no-tracker");
        }
        match &self.local {
            Some(network) => command = network.inside(&command),
            None => _ = command.arg("--no-lsd"),
        }
        let started = Instant::now();
        let process = place.start(&self.name, &mut command)?;
        place.add_log(log.clone());
        Ok(Download { process, output, log, started })
    }
}

/// A download under way.
pub(super) struct Download {
    process: Running,
    /// The folder that it downloads to.
    pub(super) output: PathBuf,
    log: PathBuf,
    /// Just before its process was started.
    pub(super) started: Instant,
}

impl Download {
    /// Waits for its end, which must be a complete download, and says how long all of it took.
    pub(super) fn finish(&self) -> Result<Duration> {
        let status = self.process.wait()?;
        let took = self.started.elapsed();
        ensure!(status.success(), "ccbt get ended with {status}");
        ensure!(self.has_finished()?, "ccbt get succeeded without the event finished");
        Ok(took)
    }

    /// Waits for its end, whatever that is.
    pub(super) fn wait(&self) -> Result<std::process::ExitStatus> {
        self.process.wait()
    }

    /// Is every piece there? It may seed on then.
    pub(super) fn has_finished(&self) -> Result<bool> {
        Ok(self.events()?.iter().any(|event| event.name == "finished"))
    }

    /// Fails if it has ended.
    pub(super) fn ensure_running(&self) -> Result<()> {
        self.process.ensure_running()
    }

    /// Interrupts a download that is not complete: SIGTERM ends it with 143, soon.
    pub(super) fn interrupt(&self) -> Result<()> {
        let asked = Instant::now();
        let status = self.process.terminate()?;
        ensure!(
            status.code() == Some(143),
            "after SIGTERM ccbt get ended with {status}, not with code 143"
        );
        in_time!(
            asked.elapsed() < Duration::from_secs(1),
            "ccbt get took {:?} to end after SIGTERM",
            asked.elapsed()
        );
        Ok(())
    }

    /// The number of its process.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its events so far.
    pub(super) fn events(&self) -> Result<Vec<Event>> {
        events::read(&self.log)
    }
}
