//! A program that is measured: how long it ran, what it used, how much memory it had.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::Value;

use super::lean::now;

/// Memory is looked at so often; Linux keeps the peak itself.
const SAMPLE: Duration = Duration::from_millis(5);
/// Linux counts processor time in hundredths of a second, whatever its own clock is.
const TICK: f64 = 0.01;

/// A program under way. It is killed when this is dropped.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
    /// When it was started, by [`now`].
    pub(super) started: f64,
}

/// What it took.
pub(super) struct Finished {
    /// When it was done, by [`now`].
    pub(super) at: f64,
    /// Seconds from its start until it was done.
    pub(super) wall: f64,
    /// Processor seconds in user and kernel, with those of children that it waited for.
    pub(super) cpu: f64,
    /// The most memory that it had, in KiB.
    pub(super) peak: u64,
}

impl Process {
    /// Starts a program; what it prints goes to `log`.
    pub(super) fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        let file = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let started = now();
        let child = command.spawn().with_context(|| format!("{command:?} does not start"))?;
        Ok(Process { child, log, started })
    }

    /// Waits until it ends, or until the file `done` is there if it does not end by itself.
    pub(super) fn finish(mut self, done: Option<&Path>, limit: Duration) -> Result<Finished> {
        let (id, pid) = (self.child.id(), self.pid()?);
        let (ended, peak, deadline) =
            (AtomicBool::new(false), AtomicU64::new(0), Instant::now() + limit);
        let (at, complete) = thread::scope(|scope| {
            let watch = scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    // It is gone between two looks: the loop ends with the next one.
                    peak.fetch_max(memory(id, "VmHWM:").unwrap_or_default(), Ordering::Relaxed);
                    if done.is_some_and(Path::exists) {
                        let at = now();
                        let _ = kill_process(pid, Signal::KILL);
                        return Some(at);
                    }
                    if Instant::now() > deadline {
                        let _ = kill_process(pid, Signal::KILL);
                        return None;
                    }
                    thread::sleep(SAMPLE);
                }
                None
            });
            // It stays in /proc until it is really waited for.
            let waited = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let at = now();
            ended.store(true, Ordering::Relaxed);
            let complete = watch.join().unwrap_or_default();
            waited.map(|_| (complete.unwrap_or(at), complete.is_some()))
        })?;
        let cpu = processor(id)?;
        let status = self.child.wait()?;
        ensure!(complete || status.success(), "{status}: {}", self.output());
        let peak = peak.into_inner();
        Ok(Finished { at, wall: at - self.started, cpu, peak })
    }

    /// Processor seconds so far.
    pub(super) fn processor(&self) -> Result<f64> {
        processor(self.child.id())
    }

    /// KiB of memory now (`VmRSS:`) or at the most so far (`VmHWM:`).
    pub(super) fn memory(&self, field: &str) -> Result<u64> {
        memory(self.child.id(), field)
    }

    /// Fails if it has ended.
    pub(super) fn ensure_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("ended early, {status}: {}", self.output()),
            None => Ok(()),
        }
    }

    fn pid(&self) -> Result<Pid> {
        Pid::from_raw(i32::try_from(self.child.id())?).context("a process without a number")
    }

    /// The end of what it printed.
    fn output(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(600)..]).trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // If it has ended, there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One of our own programs at the other end.
pub(super) struct Helper {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Helper {
    /// Starts it with these arguments and waits until it says that it is ready.
    pub(super) fn start(arguments: &[String]) -> Result<Self> {
        let mut helper = Self::run(arguments)?;
        let line = helper.line()?;
        ensure!(line == "ready", "{arguments:?} says {line:?}");
        Ok(helper)
    }

    /// Starts one that goes to its end by itself.
    pub(super) fn run(arguments: &[String]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("lean").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Helper { child, lines })
    }

    /// Ends its input, and returns its report when it is there.
    pub(super) fn finish(mut self) -> Result<Value> {
        drop(self.child.stdin.take());
        self.report()
    }

    /// Waits for the report of one that ends by itself.
    pub(super) fn report(&mut self) -> Result<Value> {
        Ok(serde_json::from_str(&self.line()?)?)
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.lines.next().context("it ended without a word")??)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor seconds of a process, also of one that has ended but was not waited for.
fn processor(id: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    ticks(&stat).map(|ticks| ticks as f64 * TICK).context("no times in /proc")
}

/// User and system time, and those of children that were waited for: the fields 14 to 17 of `/proc/PID/stat`.
fn ticks(stat: &str) -> Option<u64> {
    // The second field is the name, which may hold anything.
    let (_, behind) = stat.rsplit_once(") ")?;
    let fields: Option<Vec<u64>> =
        behind.split(' ').skip(11).take(4).map(|field| field.parse().ok()).collect();
    fields.filter(|fields| fields.len() == 4).map(|fields| fields.iter().sum())
}

fn memory(id: u32, field: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.split_whitespace().next()).context("no such field")?;
    Ok(number.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_those_behind_the_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 9 8 7 6 12 30 4 5 20 0 1 0 99";
        assert_eq!(ticks(stat), Some(12 + 30 + 4 + 5));
        assert_eq!(ticks("7 (a) S 1 7"), None);
    }
}
