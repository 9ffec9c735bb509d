//! `--interface`: nothing leaves by another way.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::payload::{Maker, Payload};
use super::place::Place;
use super::tools::Tool;

const SCRIPT: &str = include_str!("../../interop/interface.sh");
const CLIENT: &str = include_str!("../../interop/client.py");

pub(super) fn scenarios() -> Vec<Scenario> {
    let needs = [Tool::Libtorrent, Tool::Namespaces];
    vec![Scenario::new("interface/nothing-leaves-by-another", run).needing(needs)]
}

/// Of two ways into the network one has the seed; at the other there are said to be a tracker, a peer and a
/// node of the DHT. Bound to the one, not a packet goes there; without that, some do.
fn run(place: &Place) -> Result<()> {
    let payload = Payload::single(place)?;
    let torrent = Maker::Ccbt.make(place, &payload, "http://10.99.0.9:80/announce")?;
    let output = place.folder("output")?;
    let mut command = Command::new("unshare");
    command.args(["-rn", "sh", "-c", SCRIPT, "interface"]);
    command.arg(place.ccbt("get")?.get_program()).arg(torrent).arg(&payload.folder);
    command.arg(&output).arg(CLIENT).env("HOME", place.folder("home")?);
    let running = place.start("interface", &mut command)?;
    let status = running.wait()?;
    ensure!(status.success(), "the downloads ended with {status}");
    payload.compare(&output, true)?;
    let said = running.output();
    let packets = |when: &str| -> Result<u32> {
        let line = said.lines().find_map(|line| line.strip_prefix(when));
        Ok(line.with_context(|| format!("nothing is said of {when}"))?.trim().parse()?)
    };
    let (bound, free) = (packets("bound:")?, packets("free:")?);
    ensure!(bound == 0, "{bound} packets left by another interface");
    ensure!(free > 0, "the peer, the tracker and the node were not tried at all");
    Ok(())
}
