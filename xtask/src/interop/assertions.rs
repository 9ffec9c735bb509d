//! What more than one scenario asserts about timing, on the wire and in the event log.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::download::Download;
use super::events::Event;
use super::late::in_time;
use super::peers::{Peer, Visit};
use super::place::Place;
use super::torrent::Content;
use super::wire::Message;

/// A deadline may be kept late by this much ...
pub(super) const LATE: Duration = Duration::from_millis(500);
/// ... and early by this much: on a busy machine an end may hear late of what a wait is counted from. That no
/// deadline is early by a millisecond is tested in virtual time.
pub(super) const EARLY: Duration = Duration::from_millis(250);
/// How soon NOT_INTERESTED must be on the wire.
pub(super) const AT_ONCE: Duration = Duration::from_millis(100);
/// How far the wire and the event log may be apart.
const LOG_SKEW: Duration = Duration::from_millis(300);

/// Waits until ccbt has closed the first visit of `peer`.
pub(super) fn closed_visit(place: &Place, download: &Download, peer: &Peer) -> Result<Visit> {
    place.wait_for("a close", || {
        download.ensure_running()?;
        Ok(peer.visits().first().is_some_and(|visit| visit.closed_at.is_some()))
    })?;
    peer.first_visit()
}

/// The visit was closed `after` the instant `from`, for `policy`, and the event log tells the same.
pub(super) fn closed_by_rule(
    place: &Place,
    visit: &Visit,
    (from, after): (Instant, Duration),
    policy: &str,
    download: &Download,
) -> Result<()> {
    let closed_at = visit.closed_at.context("not closed")?;
    let measured = closed_at.saturating_duration_since(from);
    in_time!(
        measured + EARLY >= after && measured <= after + LATE,
        "closed after {measured:.3?}, expected {after:.1?} to {:.1?}",
        after + LATE
    );
    let about =
        |event: &&Event, name: &str| event.name == name && event.peer == Some(visit.address);
    place.wait_for("peer_closed in the event log", || {
        Ok(download.events()?.iter().any(|event| about(&event, "peer_closed")))
    })?;
    let events = download.events()?;
    let connected = events.iter().find(|event| about(event, "peer_connected"));
    let connected = connected.with_context(|| format!("no peer_connected of {}", visit.address))?;
    let closed: Vec<_> = events.iter().filter(|event| about(event, "peer_closed")).collect();
    ensure!(closed.len() == 1, "{} times peer_closed of {}", closed.len(), visit.address);
    ensure!(closed[0].text("policy") == policy, "closed by {}, not by {policy}", closed[0].fields);
    let logged = Duration::from_millis(closed[0].time_ms.saturating_sub(connected.time_ms));
    let seen = closed_at.saturating_duration_since(visit.ready_at);
    in_time!(
        logged.abs_diff(seen) <= LOG_SKEW,
        "the event log says {logged:.3?}, the wire {seen:.3?}"
    );
    Ok(())
}

/// NOT_INTERESTED came at once after `from`.
pub(super) fn told_not_interested(visit: &Visit, from: Instant) -> Result<()> {
    let told =
        visit.heard_after(&Message::NotInterested, from).context("never told NOT_INTERESTED")?;
    let took = told.saturating_duration_since(from);
    in_time!(took <= AT_ONCE, "told NOT_INTERESTED after {took:.3?}, not within {AT_ONCE:?}");
    Ok(())
}

/// The download is the payload, byte for byte.
pub(super) fn same_bytes(download: &Download, content: &Content) -> Result<()> {
    let path = download.output.join(&content.name);
    let bytes = fs::read(&path).with_context(|| format!("no {}", path.display()))?;
    ensure!(bytes == content.bytes, "{} is not the payload", path.display());
    Ok(())
}
