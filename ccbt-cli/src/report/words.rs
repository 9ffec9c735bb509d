//! Events in words.

use ccbt_peer::EventKind;
use ccbt_peer::policy::Time;

use super::units;
use crate::events::canonical;

/// What everybody is told of a source, each once: that it failed, or what it warns of.
pub(super) fn trouble(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::SourceFailed { .. } | EventKind::SourceReplied { warning: Some(_), .. } => {
            words(kind)
        }
        _ => None,
    }
}

/// Whether a line names the torrent: in front, in a path, or where we name torrents within a line. A short name may
/// stand anywhere by chance.
pub(super) fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let begins = before.is_empty()
            || ["/", "\\", " of ", "what "].iter().any(|word| before.ends_with(word));
        let ends = after.is_empty()
            || [":", "/", "\\", " is ", " leads "].iter().any(|word| after.starts_with(word));
        begins && ends
    })
}

pub(super) fn stamp(at: Time) -> String {
    units::passed(at.saturating_since(Time::ZERO))
}

/// A source by the name under which the person knows it.
pub(crate) fn by_its_option(source: &str) -> &str {
    if source == "given" { "--peer" } else { source }
}

/// What `-v` says about an event.
pub(super) fn words(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::Started { listen: Some(listen), .. } => format!("listening on {listen}"),
        EventKind::Started { listen: None, .. } => "not listening".to_owned(),
        // It has to say something, but nobody to name.
        EventKind::SourceReplied { source, peers: 0, warning: Some(text) } => {
            format!("{}: {text}", by_its_option(source))
        }
        EventKind::SourceReplied { source, peers, warning } => {
            let warning =
                warning.as_ref().map(|text| format!("; warning: {text}")).unwrap_or_default();
            let peers = units::count(*peers, "address", "addresses");
            format!("{} gave {peers}{warning}", by_its_option(source))
        }
        EventKind::SourceFailed { source, error } => {
            format!("{} failed: {error}", by_its_option(source))
        }
        EventKind::DialFailed { peer, error } => {
            format!("{} cannot be reached: {error}", canonical(*peer))
        }
        EventKind::PeerConnected { peer, .. } => format!("{} connected", canonical(*peer)),
        EventKind::PeerReady { peer, client, have, wanted } => {
            let client = client.as_deref().unwrap_or("a client without a name");
            let have = units::count(*have as usize, "piece", "pieces");
            format!("{} is {client} with {have}, {wanted} wanted", canonical(*peer))
        }
        EventKind::EvictScheduled { peer, evidence, evict_at, .. } => {
            format!(
                "{} is to go at {}, {}: {}",
                canonical(*peer),
                stamp(*evict_at),
                evidence.policy,
                evidence.text
            )
        }
        EventKind::EvictPardoned { peer, evidence, .. } => {
            format!("{} may stay, {}", canonical(*peer), evidence.policy)
        }
        EventKind::EvictShadow { peer, evidence, .. } => {
            format!("{} would go, {}: {}", canonical(*peer), evidence.policy, evidence.text)
        }
        EventKind::PeerClosed { peer, reason, .. } => {
            format!("{} closed: {reason}", canonical(*peer))
        }
        EventKind::Metadata(metainfo) => {
            format!("the metadata is here, {}", units::bytes(metainfo.info_bytes().len() as u64))
        }
        EventKind::PieceFailed { piece, from } => {
            let from: Vec<String> = from.iter().map(|peer| canonical(*peer).to_string()).collect();
            format!("piece {piece} has a wrong hash; it came from {}", from.join(", "))
        }
        EventKind::Lagged { missed } => format!("{missed} events were lost"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_short_name_is_not_found_in_other_words() {
        for text in [
            "--on-complete: exit status: 3",
            "no payload for 1s (--stop-timeout); 0% of b is verified",
            "a tracker failed",
            "/folder/ab: cannot write",
        ] {
            assert!(!names(text, "a"), "{text}");
        }
        for text in [
            "a: the metadata cannot be used",
            "/folder/a: cannot write",
            "/folder/a/b: cannot write",
            "no payload for 1s (--stop-timeout); 0% of a is verified",
            "what a leads to is not known",
        ] {
            assert!(names(text, "a"), "{text}");
        }
    }
}
