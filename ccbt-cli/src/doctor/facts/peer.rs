//! One connected peer.

use ccbt_peer::PeerStatus;
use ccbt_peer::policy::{Availability, Time};
use serde::Serialize;

use crate::events::{canonical, direction_name, source_name};

/// What is seen of a peer.
#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::doctor) struct PeerFacts {
    pub(in crate::doctor) peer: String,
    pub(in crate::doctor) client: Option<String>,
    pub(in crate::doctor) direction: &'static str,
    pub(in crate::doctor) source: &'static str,
    pub(in crate::doctor) age_ms: u64,
    /// `unknown`, `none`, `some` or `all`.
    pub(in crate::doctor) availability: &'static str,
    pub(in crate::doctor) have: u32,
    /// Pieces that it has and that are needed.
    pub(in crate::doctor) wanted: u32,
    pub(in crate::doctor) am_interested: bool,
    pub(in crate::doctor) am_choking: bool,
    pub(in crate::doctor) peer_interested: bool,
    pub(in crate::doctor) peer_choking: bool,
    /// Blocks that were requested and are still to come.
    pub(in crate::doctor) in_flight: u32,
    /// Bytes a second.
    pub(in crate::doctor) download_rate: u64,
    pub(in crate::doctor) upload_rate: u64,
    /// If not, it waits for a slot.
    pub(in crate::doctor) has_slot: bool,
    /// What the rules have in store for it.
    pub(in crate::doctor) notice: Option<NoticeFacts>,
}

/// What the rules have in store for a peer.
#[derive(Clone, Debug, Serialize)]
pub(in crate::doctor) struct NoticeFacts {
    pub(in crate::doctor) policy: String,
    pub(in crate::doctor) reason: &'static str,
    pub(in crate::doctor) evidence: String,
    /// Zero if it is due.
    pub(in crate::doctor) in_ms: u64,
}

impl PeerFacts {
    pub(super) fn of(status: &PeerStatus, now: Time) -> Self {
        let view = &status.view;
        let notice = status.notice.as_ref().map(|notice| NoticeFacts {
            policy: notice.evidence.policy.to_string(),
            reason: notice.eviction.reason.as_str(),
            evidence: notice.evidence.text.to_string(),
            in_ms: millis(notice.eviction.at, now),
        });
        Self {
            peer: canonical(view.addr).to_string(),
            client: view.client.as_deref().map(ToOwned::to_owned),
            direction: direction_name(view.direction),
            source: source_name(view.source),
            age_ms: millis(now, view.connected_at),
            availability: match view.availability {
                Availability::Unknown => "unknown",
                Availability::None => "none",
                Availability::Some => "some",
                Availability::All => "all",
            },
            have: view.have,
            wanted: view.wanted,
            am_interested: view.am_interested,
            am_choking: view.am_choking,
            peer_interested: view.peer_interested,
            peer_choking: view.peer_choking,
            in_flight: view.in_flight,
            download_rate: view.download_rate,
            upload_rate: view.upload_rate,
            has_slot: status.has_slot,
            notice,
        }
    }
}

fn millis(later: Time, earlier: Time) -> u64 {
    u64::try_from(later.saturating_since(earlier).as_millis()).unwrap_or(u64::MAX)
}
