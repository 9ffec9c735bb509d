//! libtorrent, by a program of ours in Python.

use std::process::Command;

use anyhow::Result;

use super::super::place::Running;
use super::{IsComplete, Job};

const PROGRAM: &str = include_str!("../../../interop/client.py");

pub(super) fn start(job: &Job<'_>) -> Result<(Running, IsComplete)> {
    let mut command = Command::new("python3");
    command.args(["-u", "-c", PROGRAM]).arg(job.torrent).arg(job.folder);
    command.arg(job.address.ip().to_string()).arg(job.address.port().to_string());
    command.arg(job.limit_up.unwrap_or_default().to_string());
    command.arg(if job.local.is_some() { "local" } else { "alone" });
    if let Some(network) = job.local {
        command = network.inside(&command);
    }
    let running = job.place.start("libtorrent", &mut command)?;
    let is_complete = |running: &Running| Ok(running.output().contains("complete"));
    Ok((running, Box::new(is_complete)))
}
