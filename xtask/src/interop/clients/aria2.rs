//! aria2c, asked by its JSON-RPC.

use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use super::super::http;
use super::super::place::Running;
use super::{IsComplete, Job, control_address};

pub(super) fn start(job: &Job<'_>) -> Result<(Running, IsComplete)> {
    let control = control_address()?;
    let mut command = Command::new("aria2c");
    command
        .args(["--no-conf", "--disable-ipv6", "--async-dns=false", "--summary-interval=0"])
        .args(["--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false"])
        .args(["--enable-peer-exchange=false", "--bt-seed-unverified", "--seed-ratio=0.0"])
        .args(["--console-log-level=notice", "--enable-color=false", "--enable-rpc"])
        .arg(format!("--rpc-listen-port={}", control.port()))
        .arg(format!("--interface={}", job.address.ip()))
        .arg(format!("--listen-port={}", job.address.port()))
        .arg(format!("--max-overall-upload-limit={}", job.limit_up.unwrap_or_default()))
        .arg(format!("--dir={}", job.folder.display()))
        .arg(job.torrent);
    let running = job.place.start("aria2", &mut command)?;
    let listens = format!("listening on TCP port {}", job.address.port());
    job.place.wait_for("aria2 to listen", || {
        running.ensure_running()?;
        Ok(running.output().contains(&listens))
    })?;
    let is_complete = move |_: &Running| {
        let reply = http::get(control, "/jsonrpc?method=aria2.tellActive&id=1")?;
        let reply: Value = serde_json::from_slice(&reply)?;
        Ok(reply["result"][0]["seeder"] == "true")
    };
    Ok((running, Box::new(is_complete)))
}
