//! Whether there are addresses, and whether anybody is to be found there.

use super::Finding;
use crate::doctor::facts::{Facts, SourceFacts};
use crate::report::{list, units};

/// Waits that say nothing but that the address was tried just now.
const TRIED: [&str; 3] = ["lost", "no-slot", "duplicate"];

pub(super) fn of(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(facts.sources.iter().filter_map(failed));
    found.extend(nobody_is_named(facts));
    found.extend(nobody_is_reached(facts));
    found.extend(kept_away(facts));
    found
}

fn failed(source: &SourceFacts) -> Option<Finding> {
    let SourceFacts { source: name, replies, error, warning, .. } = source;
    let (code, text) = match (error, warning) {
        (Some(error), _) if *replies == 0 => {
            ("source-failed", format!("{name} gave no answer: {error}"))
        }
        (Some(error), _) => {
            ("source-failed", format!("{name} answered before, but not now: {error}"))
        }
        (None, Some(warning)) => ("source-warns", format!("{name} warns: {warning}")),
        (None, None) => return None,
    };
    let advice = match code {
        "source-failed" => {
            "it is asked again; if that stays so, find another tracker, or name peers (--peer)"
        }
        _ => "",
    };
    Some(Finding::new(code, text, advice))
}

fn nobody_is_named(facts: &Facts) -> Option<Finding> {
    let named: usize = facts.sources.iter().map(|source| source.addresses).sum();
    if named > 0 || facts.totals.met > 0 || !facts.not_reached.is_empty() {
        return None;
    }
    if facts.sources.is_empty() {
        let text = "no tracker has answered, and no peer is named (--peer)";
        let advice = "name a peer, or a torrent with a tracker that works; --no-tracker, --no-dht and --no-lsd \
             leave out who could be asked";
        return Some(Finding::new("no-source", text, advice));
    }
    if facts.sources.iter().all(|source| source.replies == 0) {
        return None;
    }
    let text = "who answers knows of nobody else in the swarm";
    Some(Finding::new(
        "no-addresses",
        text,
        "wait until somebody comes online, or name a peer (--peer)",
    ))
}

fn nobody_is_reached(facts: &Facts) -> Option<Finding> {
    let dials: usize = facts.not_reached.iter().map(|(_, count)| count).sum();
    if facts.totals.met > 0 || (dials == 0 && facts.gone.is_empty() && facts.totals.half_open == 0)
    {
        return None;
    }
    let mut parts = Vec::new();
    if dials > 0 {
        let dials = units::count(dials, "dial", "dials");
        parts.push(format!("{dials} failed: {}", list(&facts.not_reached)));
    }
    if !facts.gone.is_empty() {
        parts.push(format!("connections ended before a handshake: {}", list(&facts.gone)));
    }
    if facts.totals.half_open > 0 {
        let dials = units::count(facts.totals.half_open as usize, "dial", "dials");
        parts.push(format!("{dials} without an answer yet"));
    }
    let text = format!("nobody could be reached; {}", parts.join("; "));
    let advice = "their clients are off, speak encrypted alone, or something between you and them stops the \
                  connections (firewall, provider); try another network, or later";
    Some(Finding::new("nobody-reached", text, advice))
}

/// Addresses that we do not want ourselves.
fn kept_away(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if facts.totals.blocked > 0 {
        let times = units::count(facts.totals.blocked as usize, "time", "times");
        let text = format!("the blocklist kept a peer away {times}");
        found.push(Finding::new(
            "blocked",
            text,
            "look without --blocklist whether these are the ones you need",
        ));
    }
    let waiting = facts
        .waiting
        .iter()
        .filter(|(reason, _)| !TRIED.contains(&reason.as_str()) && reason != "blocked");
    let waiting: Vec<(&str, usize)> =
        waiting.map(|(reason, count)| (reason.as_str(), *count)).collect();
    if !waiting.is_empty() {
        let text = format!("known addresses are left alone for what they did: {}", list(&waiting));
        let advice =
            "their waits end by themselves; --no-state looks without what earlier runs have learnt";
        found.push(Finding::new("waiting", text, advice));
    }
    found
}
