//! The picture in lines for people: peers in a table, sums, and the diagnosis below.

use std::time::Duration;

use super::facts::{Facts, PeerFacts, SourceFacts};
use super::findings::Finding;
use crate::report::{list, units};

/// Runs of pieces that are told one by one.
const RUNS: usize = 16;

/// All of it.
pub(super) fn lines(facts: &Facts, findings: &[Finding]) -> Vec<String> {
    let mut lines = vec![heading(facts)];
    if !facts.sources.is_empty() || facts.dht_nodes.is_some() {
        lines.push("sources".to_owned());
        lines.extend(facts.sources.iter().map(|source| format!("  {}", source_line(source))));
        let nodes = facts.dht_nodes.map(|nodes| units::count(nodes, "node", "nodes"));
        lines.extend(nodes.map(|nodes| format!("  the DHT as a whole: {nodes} known")));
    }
    if !facts.peers.is_empty() {
        lines.push("peers (we, it: i is interested, c chokes)".to_owned());
        lines.extend(table(facts).into_iter().map(|line| format!("  {line}")));
    }
    lines.push("totals".to_owned());
    lines.extend(totals(facts).map(|line| format!("  {line}")));
    lines.push("diagnosis".to_owned());
    for finding in findings {
        lines.push(format!("  {}", finding.text));
        if !finding.advice.is_empty() {
            lines.push(format!("    what to do: {}", finding.advice));
        }
    }
    lines
}

fn heading(facts: &Facts) -> String {
    let Facts { name, have, pieces, need, .. } = facts;
    let listen = facts.listen.as_ref().map(|addr| format!(", listening on {addr}"));
    let time = units::passed(Duration::from_millis(facts.looked_ms));
    let listen = listen.unwrap_or_default();
    format!("{name}: {have} of {pieces} pieces are here, {need} needed; after {time}{listen}")
}

fn source_line(source: &SourceFacts) -> String {
    let SourceFacts { source: name, replies, addresses, error, .. } = source;
    match error {
        Some(error) => format!("{name}: {error}"),
        None if *replies == 0 => format!("{name}: no answer yet"),
        None => format!("{name}: {}", units::count(*addresses, "address", "addresses")),
    }
}

const COLUMNS: [&str; 11] =
    ["address", "client", "by", "age", "has", "need", "we", "it", "asked", "rates", "rules"];

/// A row for each peer below the names of the columns, each as wide as it must be.
fn table(facts: &Facts) -> Vec<String> {
    let rows: Vec<[String; 11]> = [COLUMNS.map(ToOwned::to_owned)]
        .into_iter()
        .chain(facts.peers.iter().map(|peer| row(peer, facts.pieces)))
        .collect();
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 11] = std::array::from_fn(width);
    let pad = |row: &[String; 11]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(pad).collect()
}

fn row(peer: &PeerFacts, pieces: u32) -> [String; 11] {
    let has = match peer.availability {
        "unknown" => "?".to_owned(),
        _ => format!("{}/{pieces}", peer.have),
    };
    let notice = peer.notice.as_ref().map(|notice| {
        let wait = match notice.in_ms {
            0 => "now".to_owned(),
            wait => format!("in {}", units::passed(Duration::from_millis(wait))),
        };
        format!("{} {wait}: {}", notice.policy, notice.evidence)
    });
    let waits = (!peer.has_slot).then(|| "waits for a slot".to_owned());
    [
        peer.peer.clone(),
        peer.client.clone().unwrap_or_else(|| "-".to_owned()),
        if peer.direction == "incoming" { "it" } else { "us" }.to_owned(),
        units::passed(Duration::from_millis(peer.age_ms)),
        has,
        peer.wanted.to_string(),
        flags(peer.am_interested, peer.am_choking),
        flags(peer.peer_interested, peer.peer_choking),
        peer.in_flight.to_string(),
        format!("{} down {} up", units::rate(peer.download_rate), units::rate(peer.upload_rate)),
        notice.or(waits).unwrap_or_else(|| "stays".to_owned()),
    ]
}

/// `ic`: interested and choking; a dash for what is not.
fn flags(interested: bool, choking: bool) -> String {
    let sign = |is, sign| if is { sign } else { '-' };
    [sign(interested, 'i'), sign(choking, 'c')].into_iter().collect()
}

fn totals(facts: &Facts) -> impl Iterator<Item = String> {
    let now = &facts.totals;
    let mut lines = vec![
        format!(
            "pieces_known {} of {} needed, peers_with_bitfield {} of {}, can_request {}",
            now.pieces_known, facts.need, now.peers_with_bitfield, now.peers, now.can_request
        ),
        format!(
            "useful {}, unchoked {}, interested {}, incoming {}, slots {} of {} taken, would_drop {}",
            now.useful,
            now.unchoked,
            now.interested,
            now.incoming,
            now.slots.saturating_sub(now.free_slots),
            now.slots,
            now.would_drop
        ),
        format!(
            "candidates {}, half_open {}, met {} ({} dialed in), blocked {}",
            now.candidates, now.half_open, now.met, now.met_incoming, now.blocked
        ),
    ];
    if facts.nobody_has.count() > 0 {
        lines.push(format!("nobody has {}", facts.nobody_has.words(RUNS)));
    }
    let counts = [("gone", by_text(&facts.gone)), ("not reached", by_text(&facts.not_reached))];
    let counts = counts.into_iter().chain([("waiting", by_text(&facts.waiting))]);
    lines.extend(counts.filter_map(|(what, list)| Some(format!("{what}: {}", list?))));
    lines.into_iter()
}

fn by_text<T: AsRef<str>>(counts: &[(T, usize)]) -> Option<String> {
    (!counts.is_empty()).then(|| list(counts))
}

#[cfg(test)]
mod tests;
