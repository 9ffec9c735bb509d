//! What the connected peers have and give.

use super::Finding;
use crate::doctor::facts::{Facts, PeerFacts};
use crate::report::{list, units};

pub(super) fn of(facts: &Facts) -> Vec<Finding> {
    let totals = &facts.totals;
    let mut found = Vec::new();
    if totals.peers == 0 {
        found.extend(all_gone(facts));
        return found;
    }
    found.extend(mute(facts));
    if totals.useful == 0 {
        let text = match totals.peers {
            1 => "the one connected peer has nothing that is needed".to_owned(),
            peers => format!("none of the {peers} connected peers has anything that is needed"),
        };
        let advice = "they are as far as you are, or new: wait for a seed, or name one (--peer)";
        found.push(Finding::new("nothing-needed", text, advice));
    } else if totals.can_request == 0 {
        found.push(nobody_gives(facts));
    } else {
        let text = format!(
            "{} would give now, of {} with something needed: this does not hold the download back",
            peers(totals.can_request),
            totals.useful
        );
        found.push(Finding::new("ready", text, ""));
    }
    if totals.free_slots == 0 {
        let text = format!("all {} slots are taken", totals.slots);
        found.push(Finding::new("full", text, "allow more connections (--max-peers)"));
    }
    found.extend(on_notice(facts));
    found
}

/// Peers that say nothing of what they have.
fn mute(facts: &Facts) -> Option<Finding> {
    let mute = facts.totals.peers - facts.totals.peers_with_bitfield;
    let text = format!(
        "{} of {} said nothing of what {} so far",
        mute,
        peers(facts.totals.peers),
        if mute == 1 { "it has" } else { "they have" }
    );
    (mute > 0).then(|| {
        Finding::new("mute", text, "nothing: new peers may do so, others are dropped in time")
    })
}

/// All that are of use choke us, or wait for a slot.
fn nobody_gives(facts: &Facts) -> Finding {
    let useful = || facts.peers.iter().filter(|peer| peer.wanted > 0);
    let choking = useful().filter(|peer| peer.peer_choking).count();
    if choking < facts.totals.useful {
        let text = format!("waiting for a slot: {} with something needed", peers(useful().count()));
        return Finding::new("no-slot", text, "allow more connections (--max-peers)");
    }
    let text = match choking {
        1 => "the one peer with something needed chokes us".to_owned(),
        _ => format!("all {choking} peers with something needed choke us"),
    };
    let advice = "clients give everybody a turn, so wait a minute or two; who has pieces to give in return, and does \
                  not hold them back (--limit-up), is served first";
    Finding::new("all-choke", text, advice)
}

fn all_gone(facts: &Facts) -> Option<Finding> {
    let met = facts.totals.met;
    let text = format!("{} came and went, and nobody is left: {}", peers(met), list(&facts.gone));
    let advice = "who leaves by itself may be full, or see nothing in you; wait, and let others dial in (--listen)";
    (met > 0).then(|| Finding::new("all-gone", text, advice))
}

/// Whom the rules would drop.
fn on_notice(facts: &Facts) -> Option<Finding> {
    let mut rules: Vec<(&str, usize)> = Vec::new();
    for notice in facts.peers.iter().filter_map(|peer: &PeerFacts| peer.notice.as_ref()) {
        match rules.iter_mut().find(|(policy, _)| *policy == notice.policy) {
            Some((_, count)) => *count += 1,
            None => rules.push((&notice.policy, 1)),
        }
    }
    let text = format!(
        "the rules would drop {} unless something changes: {}",
        peers(facts.totals.would_drop),
        list(&rules)
    );
    let advice =
        "nothing, if these are of no use; a rule that is wrong here can be changed (--evict)";
    (!rules.is_empty()).then(|| Finding::new("would-drop", text, advice))
}

fn peers(count: usize) -> String {
    units::count(count, "peer", "peers")
}
