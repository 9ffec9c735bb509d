//! The event log of `ccbt get --events`: one JSON object a line.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// One line of the log.
#[derive(Debug)]
pub(super) struct Event {
    /// Milliseconds since the program started.
    pub(super) time_ms: u64,
    /// What happened, as `peer_closed`.
    pub(super) name: String,
    /// Whom it is about, where it is about a peer.
    pub(super) peer: Option<SocketAddr>,
    /// The whole object.
    pub(super) fields: Value,
}

impl Event {
    /// A field's text; empty if it is missing or null.
    pub(super) fn text(&self, field: &str) -> &str {
        self.fields[field].as_str().unwrap_or_default()
    }
}

/// Reads a log; every line must be an event.
pub(super) fn read(path: &Path) -> Result<Vec<Event>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("no event log at {}", path.display()))?;
    // A program that runs on may be in the middle of its last line.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| parse(line).with_context(|| format!("event {line}"))).collect()
}

fn parse(line: &str) -> Result<Event> {
    let fields: Value = serde_json::from_str(line)?;
    let time_ms = fields["time_ms"].as_u64().context("time_ms is no whole number")?;
    let name = fields["event"].as_str().context("no event")?.to_owned();
    ensure!(!name.is_empty(), "an event without name");
    let peer = match &fields["peer"] {
        Value::Null => None,
        Value::String(text) => {
            Some(text.parse().with_context(|| format!("peer {text:?} is not ip:port"))?)
        }
        other => bail!("peer is {other}"),
    };
    Ok(Event { time_ms, name, peer, fields })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_event_is_read_with_its_peer() {
        let event = parse(
            r#"{"time_ms": 7, "event": "peer_closed", "peer": "127.0.0.1:9", "policy": "health"}"#,
        )
        .unwrap();
        assert_eq!((event.time_ms, event.name.as_str()), (7, "peer_closed"));
        assert_eq!(event.peer.unwrap().port(), 9);
        assert_eq!((event.text("policy"), event.text("reason")), ("health", ""));
    }

    #[test]
    fn an_event_without_time_or_with_a_bare_host_is_refused() {
        assert!(parse(r#"{"event": "started"}"#).is_err());
        assert!(parse(r#"{"time_ms": 1, "event": "peer_ready", "peer": "localhost"}"#).is_err());
        assert!(parse("finished").is_err());
    }
}
