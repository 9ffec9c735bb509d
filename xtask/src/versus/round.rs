//! One run of one client: everything around it is made anew.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tempfile::TempDir;

use crate::interop::announcer::Announcer;
use crate::interop::place::free_port;

use super::client::{Client, Job, Order, Start};
use super::content::Content;
use super::lean::wire;
use super::process::{Helper, Process};

/// No run takes longer.
pub(super) const LIMIT: Duration = Duration::from_secs(240);
/// A seeder is there by then.
const READY: Duration = Duration::from_secs(60);
/// What a client still has to do when it is ready.
const SETTLE: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(20);

/// A run's folder, tracker and client.
pub(super) struct Round<'a> {
    pub(super) content: &'a Content,
    pub(super) client: Client,
    pub(super) output: PathBuf,
    /// Where the client listens.
    pub(super) address: SocketAddr,
    binary: &'a Path,
    folder: TempDir,
    tracker: Announcer,
}

impl<'a> Round<'a> {
    /// Makes the place for a run; nothing runs there yet.
    pub(super) fn new(content: &'a Content, client: Client, binary: &'a Path) -> Result<Self> {
        let parent = content.folder.parent().unwrap_or(&content.folder);
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(parent)?;
        let tracker = Announcer::start(Ipv4Addr::LOCALHOST)?;
        content.torrent(&folder.path().join("payload.torrent"), &tracker.url())?;
        let output = folder.path().join("output");
        fs::create_dir_all(&output)?;
        fs::create_dir_all(folder.path().join("home"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Ok(Round { content, client, output, address, binary, folder, tracker })
    }

    /// Lean seeders at addresses of their own; the tracker knows them from now on.
    pub(super) fn seeders(&self, count: u8) -> Result<(Helper, Vec<SocketAddr>)> {
        let addresses: Vec<SocketAddr> = (1..=count)
            .map(|host| Ok((Ipv4Addr::new(127, 0, 2, host), free_port()?).into()))
            .collect::<Result<_>>()?;
        let mut arguments = vec!["seed".to_owned()];
        arguments.extend(self.content.arguments());
        arguments.extend(["--content".to_owned(), self.content.whole.display().to_string()]);
        if !self.client.dials_loopback() {
            arguments.extend(["--dial".to_owned(), self.address.to_string()]);
        }
        arguments.extend(addresses.iter().map(SocketAddr::to_string));
        Ok((Helper::start(&arguments)?, addresses))
    }

    /// What whoever announces itself, or has done so and waits, is told.
    pub(super) fn name(&self, seeders: &[SocketAddr]) {
        self.tracker.name(seeders.iter().copied());
    }

    /// Starts the client, which may hold so many connections.
    pub(super) fn start(&self, job: Job, connections: u32) -> Result<(Process, Option<PathBuf>)> {
        let home = self.folder.path().join("home");
        let Start { mut command, done } = self.client.start(&Order {
            job,
            binary: self.binary,
            torrent: &self.folder.path().join("payload.torrent"),
            folder: if job == Job::Get { &self.output } else { &self.content.folder },
            home: &home,
            port: self.address.port(),
            connections,
        })?;
        Ok((Process::start(&mut command, self.log())?, done))
    }

    /// What the client prints.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.path().join("client.log")
    }

    /// Waits until the client shakes hands, and then some more.
    pub(super) fn wait_until_ready(&self, job: Job, client: &mut Process) -> Result<()> {
        let deadline = Instant::now() + READY;
        while self.shake_hands(job).is_err() {
            client.ensure_running()?;
            if Instant::now() > deadline {
                bail!("it does not accept connections");
            }
            thread::sleep(POLL);
        }
        thread::sleep(SETTLE);
        Ok(())
    }

    fn shake_hands(&self, job: Job) -> Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(&wire::handshake(self.content.info_hash, false, false))?;
        // A first message behind its handshake: it knows what it has. Who has nothing need not say so.
        let expected = if job == Job::Seed { 68 + 5 } else { 68 };
        Ok(stream.read_exact(&mut vec![0; expected])?)
    }
}
