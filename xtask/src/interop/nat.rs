//! `--map-port`: a router leads connections from outside to us, and no longer when we have gone.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::payload::{Maker, Payload};
use super::place::Place;
use super::tools::Tool;

const SCRIPT: &str = include_str!("../../interop/router.sh");

pub(super) fn scenarios() -> Vec<Scenario> {
    [("pcp", "PCP"), ("natpmp", "NAT-PMP"), ("upnp", "UPnP")]
        .map(|(method, name)| {
            let run = move |place: &Place| run(place, method, name);
            Scenario::new(format!("map-port/{method}"), run)
                .needing([Tool::Miniupnpd, Tool::Namespaces])
        })
        .into()
}

fn run(place: &Place, method: &str, name: &str) -> Result<()> {
    let payload = Payload::single(place)?;
    let torrent = Maker::Ccbt.make(place, &payload, "http://127.0.0.1:1/announce")?;
    let folder = place.folder("router")?;
    let mut command = Command::new("unshare");
    command.args(["-rn", "sh", "-c", SCRIPT, "router"]);
    command.arg(place.ccbt("seed")?.get_program()).arg(torrent).arg(&payload.folder);
    command.arg(&folder).arg(method).env("HOME", place.folder("home")?);
    let running = place.start("router", &mut command)?;
    for log in ["ccbt.log", "router.log"] {
        place.add_log(folder.join(log));
    }
    let status = running.wait()?;
    ensure!(status.success(), "the script ended with {status}");
    let said = running.output();
    let rest = |when: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(when));
        line.with_context(|| format!("nothing is said of {when}"))
    };
    let told = rest("told:")?;
    let expected = format!("port 51413 of 5.5.5.5 leads to us ({name})");
    ensure!(told.contains(&expected), "ccbt tells{told}");
    let mapped = rest("while:")?;
    ensure!(mapped.contains("51413"), "the router has no rule for the port:{mapped}");
    let after = rest("after:")?;
    ensure!(after.trim().is_empty(), "the router still has a rule:{after}");
    Ok(())
}
