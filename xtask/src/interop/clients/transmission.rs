//! transmission-daemon, asked by transmission-remote.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use serde_json::json;

use super::super::place::Running;
use super::{IsComplete, Job, control_address};

pub(super) fn start(job: &Job<'_>) -> Result<(Running, IsComplete)> {
    let control = control_address()?;
    let home = job.place.folder("transmission-home")?;
    let settings = json!({
        "bind-address-ipv4": job.address.ip(),
        "dht-enabled": false,
        "download-dir": job.folder,
        "idle-seeding-limit-enabled": false,
        "lpd-enabled": false,
        "peer-port": job.address.port(),
        "pex-enabled": false,
        "port-forwarding-enabled": false,
        "ratio-limit-enabled": false,
        "rpc-authentication-required": false,
        "rpc-bind-address": "127.0.0.1",
        "rpc-port": control.port(),
        // It counts in kB.
        "speed-limit-up": job.limit_up.unwrap_or_default().div_ceil(1000),
        "speed-limit-up-enabled": job.limit_up.is_some(),
        "utp-enabled": false,
    });
    fs::write(home.join("settings.json"), settings.to_string())?;
    let mut command = Command::new("transmission-daemon");
    command.args(["--foreground", "--config-dir"]).arg(&home);
    let daemon = job.place.start("transmission", &mut command)?;
    job.place.wait_for("transmission-daemon", || {
        daemon.ensure_running()?;
        Ok(remote(control, &["--list"])?.0)
    })?;
    let (added, answer) = remote(control, &["--add", &job.torrent.to_string_lossy()])?;
    ensure!(added, "transmission did not take the torrent: {answer}");
    let is_complete = move |_: &Running| Ok(remote(control, &["--list"])?.1.contains("100%"));
    Ok((daemon, Box::new(is_complete)))
}

/// Did it succeed, and what did it say?
fn remote(control: SocketAddr, arguments: &[&str]) -> Result<(bool, String)> {
    let mut command = Command::new("transmission-remote");
    command.arg(control.to_string()).args(arguments).stdin(Stdio::null());
    let output = command.output()?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}
