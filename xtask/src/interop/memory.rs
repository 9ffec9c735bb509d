//! What a process has taken of the machine.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Memory of a process that is resident, in KiB.
pub(super) fn resident_kib(process: u32) -> Result<u64> {
    status_kib(process, "VmRSS:")
}

/// The most that it ever was.
pub(super) fn peak_kib(process: u32) -> Result<u64> {
    status_kib(process, "VmHWM:")
}

fn status_kib(process: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.with_context(|| format!("no {name}"))?.parse()?)
}

/// Time that a process has worked.
pub(super) fn cpu_time(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program, in brackets, may have anything in it.
    let (_, fields) = stat.rsplit_once(") ").context("no fields")?;
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<u64, _>>()?;
    // A tick is a hundredth of a second on every Linux that there is.
    Ok(Duration::from_millis(ticks * 10))
}
