//! Where one scenario happens: its folder, its addresses, its programs and their logs.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::late::Late;

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(5);
/// How many lines of each log a failure shows.
const TAIL_LINES: usize = 40;

/// Shared by a scenario and the schedule; when the last one lets go, everything in it is ended.
#[derive(Clone)]
pub(super) struct Place {
    inner: Arc<Inner>,
}

struct Inner {
    number: u8,
    binary: PathBuf,
    folder: TempDir,
    deadline: Instant,
    children: Mutex<Vec<Arc<Mutex<Child>>>>,
    logs: Mutex<Vec<PathBuf>>,
}

impl Place {
    /// A fresh place for the scenario with this number, which has `limit` from now on.
    pub(super) fn new(number: u8, binary: &Path, limit: Duration) -> Result<Self> {
        let inner = Inner {
            number,
            binary: binary.to_owned(),
            folder: tempfile::Builder::new().prefix("ccbt-interop-").tempdir()?,
            deadline: Instant::now() + limit,
            children: Mutex::default(),
            logs: Mutex::default(),
        };
        Ok(Place { inner: Arc::new(inner) })
    }

    /// The `ccbt` under test, for a user of this name: nothing that others have configured or learnt
    /// counts, and nothing stays.
    pub(super) fn ccbt(&self, user: &str) -> Result<Command> {
        let mut command = Command::new(&self.inner.binary);
        command.env("HOME", self.folder(&format!("home-of-{user}"))?);
        command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        Ok(command)
    }

    /// A path below the scenario's folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.inner.folder.path().join(name)
    }

    /// A new folder below the scenario's.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// A loopback address that no other scenario uses.
    pub(super) fn host(&self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, 77, self.inner.number, number)
    }

    /// Shows the end of this file when the scenario fails.
    pub(super) fn add_log(&self, path: PathBuf) {
        lock(&self.inner.logs).push(path);
    }

    /// Starts a program; what it prints goes to a log named after it.
    pub(super) fn start(&self, name: &str, command: &mut Command) -> Result<Running> {
        let log = self.path(&format!("{name}.log"));
        let file = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("{name} does not start"))?;
        let child = Arc::new(Mutex::new(child));
        lock(&self.inner.children).push(Arc::clone(&child));
        self.add_log(log.clone());
        Ok(Running { name: name.to_owned(), child, log, deadline: self.inner.deadline })
    }

    /// Waits until `what` holds; it fails at the scenario's deadline.
    pub(super) fn wait_for(
        &self,
        what: &str,
        mut holds: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        while !holds()? {
            if Instant::now() >= self.inner.deadline {
                return Err(Late(format!("waited in vain for {what}")).into());
            }
            thread::sleep(POLL * 10);
        }
        Ok(())
    }

    /// Waits for a point of time, as long as `goes_well`.
    pub(super) fn wait_until(
        &self,
        at: Instant,
        mut goes_well: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        self.wait_for("a point of time", || {
            goes_well()?;
            Ok(Instant::now() >= at)
        })
    }

    /// Ends whatever still runs.
    pub(super) fn end_all(&self) {
        self.inner.end_all();
    }

    /// The last lines of every log.
    pub(super) fn log_tails(&self) -> String {
        lock(&self.inner.logs).iter().map(|path| tail(path)).collect()
    }
}

impl Inner {
    fn end_all(&self) {
        for child in lock(&self.children).drain(..) {
            let mut child = lock(&child);
            // It may have ended by itself; then there is nothing to do.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end_all();
    }
}

/// A program that a scenario started.
pub(super) struct Running {
    name: String,
    child: Arc<Mutex<Child>>,
    log: PathBuf,
    deadline: Instant,
}

impl Running {
    /// Waits for its end, until the scenario's deadline at most.
    pub(super) fn wait(&self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = lock(&self.child).try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= self.deadline {
                let late = format!("{} still runs at the end of the scenario's time", self.name);
                return Err(Late(late).into());
            }
            thread::sleep(POLL);
        }
    }

    /// Fails if it has ended already.
    pub(super) fn ensure_running(&self) -> Result<()> {
        match lock(&self.child).try_wait()? {
            Some(status) => bail!("{} ended early: {status}", self.name),
            None => Ok(()),
        }
    }

    /// Asks it to end (SIGTERM) and waits.
    pub(super) fn terminate(&self) -> Result<ExitStatus> {
        let id = lock(&self.child).id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        self.wait()
    }

    /// Ends it at once (SIGKILL), and waits; it may have ended by itself.
    pub(super) fn kill(&self) -> Result<ExitStatus> {
        let mut child = lock(&self.child);
        child.kill()?;
        Ok(child.wait()?)
    }

    /// The number of its process.
    pub(super) fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// What it has printed so far.
    pub(super) fn output(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

/// A port that nobody listens on now, below those that the kernel hands out to outgoing connections.
pub(crate) fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 18_000;
    const COUNT: u16 = 12_000;
    let offset = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or_default();
    for _ in 0..COUNT {
        let port = FIRST + (NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(offset)) % COUNT;
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port from {FIRST} on")
}

fn tail(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let shown = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    shown.iter().fold(format!("  --- {name}\n"), |text, line| format!("{text}  | {line}\n"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
