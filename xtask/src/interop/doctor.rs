//! `ccbt doctor` in a small swarm: it tells its peers apart, and downloads nothing.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Scenario;
use super::assertions::LATE;
use super::peers::Peer;
use super::place::Place;
use super::seed_rules::{BITFIELD_TIMEOUT, content};
use super::wire::Message;

/// How long it looks.
const LOOKS: Duration = Duration::from_secs(3);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new("doctor/seed-mute-and-choker", three).waiting(30)]
}

fn three(place: &Place) -> Result<()> {
    let content = content(place)?;
    let seed = Peer::listening(place.host(1), &content, |link| {
        link.announce(|_| true)?;
        link.say(Message::Unchoke)?;
        link.serve()
    })?;
    let mute = Peer::listening(place.host(2), &content, |link| link.serve())?;
    let choker = Peer::listening(place.host(3), &content, |link| {
        link.generous = false;
        link.announce(|_| true)?;
        link.serve()
    })?;
    let peers = [&seed, &mute, &choker];
    let doctor = |folder: &str, more: &[&str]| -> Result<String> {
        let mut command = place.ccbt(folder)?;
        command.arg("doctor").arg(&content.torrent).arg("-o").arg(place.folder(folder)?);
        command.args(["--no-tracker", "--no-dht", "--no-lsd", "--no-pex"]);
        command.args(["--for", &format!("{}s", LOOKS.as_secs())]).args(more);
        for peer in peers {
            command.args(["--peer", &peer.address.to_string()]);
        }
        let output = command.stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "ccbt doctor ended with {}\n{said}", output.status);
        Ok(said)
    };

    let diagnosis: Value = serde_json::from_str(&doctor("json", &["--json"])?)?;
    let row = |peer: &Peer| {
        let rows = diagnosis["peers"].as_array().context("no peers")?;
        let address = peer.address.to_string();
        let row = rows.iter().find(|row| row["peer"] == address.as_str());
        row.cloned().with_context(|| format!("no row for {address} in {diagnosis}"))
    };
    let expected = [
        (&seed, "all", u64::from(content.pieces()), false),
        (&mute, "unknown", 0, true),
        (&choker, "all", u64::from(content.pieces()), true),
    ];
    for (peer, availability, wanted, choking) in expected {
        let row = row(peer)?;
        let right = row["availability"] == availability
            && row["wanted"] == wanted
            && row["peer_choking"] == choking
            && row["in_flight"] == 0;
        ensure!(right, "not {availability}, {wanted} wanted, choking {choking}: {row}");
    }
    let notice = &row(&mute)?["notice"];
    let left = Duration::from_millis(notice["in_ms"].as_u64().context("no deadline")?);
    let expected = BITFIELD_TIMEOUT - LOOKS;
    ensure!(
        notice["policy"] == "bitfield-timeout" && left.abs_diff(expected) <= LATE,
        "the mute peer's deadline is {notice}, it should be in {expected:?}"
    );
    let totals = &diagnosis["totals"];
    let right = totals["peers"] == 3
        && totals["pieces_known"] == content.pieces()
        && totals["peers_with_bitfield"] == 2
        && totals["useful"] == 2
        && totals["can_request"] == 1;
    ensure!(right, "the totals are {totals}");

    let said = doctor("text", &[])?;
    for peer in peers {
        ensure!(said.contains(&peer.address.to_string()), "no row for {}:\n{said}", peer.address);
        let mut heard = peer.visits().into_iter().flat_map(|visit| visit.heard);
        let asked = heard.any(|(_, message)| matches!(message, Message::Request { .. }));
        ensure!(!asked, "{} was asked for a block", peer.address);
    }
    Ok(())
}
