//! What a tracker counts, as `ccbt show --scrape` says it.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};

use super::Scenario;
use super::payload::{Maker, Payload};
use super::place::{Place, free_port};
use super::seed::Seed;
use super::tools::Tool;
use super::tracker::Tracker;

pub(super) fn scenarios() -> Vec<Scenario> {
    let scenario = |scheme: &'static str| {
        let name = format!("tracker/scrape/{scheme}");
        Scenario::new(name, move |place| one_seed(place, scheme)).needing([Tool::Opentracker])
    };
    ["http", "udp"].map(scenario).into()
}

fn one_seed(place: &Place, scheme: &'static str) -> Result<()> {
    let payload = Payload::single(place)?;
    let (tracker, torrent) = Tracker::asked_over(scheme, place, &payload, Maker::Ccbt)?;
    tracker.start(place)?;
    let listen = (Ipv4Addr::LOCALHOST, free_port()?).into();
    Seed::start(place, &torrent, &payload.folder, listen, &[])?;
    tracker.wait_for_peers(place, (1, 0))?;
    let output = place.ccbt("show")?.args(["show", "--scrape"]).arg(&torrent).output()?;
    ensure!(output.status.success(), "ccbt show --scrape ended with {}", output.status);
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(said.contains(": 1 seed, 0 leechers"), "with one seed it says\n{said}");
    Ok(())
}
