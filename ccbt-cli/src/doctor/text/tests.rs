//! The picture, as it stands on the screen.

use super::super::facts::{NoticeFacts, Totals};
use super::*;

#[test]
fn a_picture_has_peers_totals_and_what_to_do() {
    let seed = PeerFacts {
        peer: "192.0.2.1:6881".into(),
        client: Some("x 1.0".into()),
        direction: "outgoing",
        age_ms: 12_340,
        availability: "all",
        have: 19,
        wanted: 15,
        am_interested: true,
        am_choking: true,
        has_slot: true,
        ..PeerFacts::default()
    };
    let mute = PeerFacts {
        peer: "[2001:db8::1]:1".into(),
        direction: "incoming",
        availability: "unknown",
        peer_choking: true,
        has_slot: true,
        notice: Some(NoticeFacts {
            policy: "bitfield-timeout".into(),
            reason: "no-availability",
            evidence: "no availability for 60.0 s".into(),
            in_ms: 48_000,
        }),
        ..PeerFacts::default()
    };
    let facts = Facts {
        name: "a".into(),
        pieces: 19,
        have: 4,
        need: 15,
        looked_ms: 13_000,
        listen: Some("127.0.0.1:1".into()),
        sources: vec![SourceFacts {
            source: "--peer".into(),
            replies: 1,
            addresses: 1,
            ..SourceFacts::default()
        }],
        totals: Totals { peers: 2, slots: 256, free_slots: 254, ..Totals::default() },
        peers: vec![seed, mute],
        gone: vec![("lost", 2)],
        ..Facts::default()
    };
    let finding = Finding { code: "x", text: "it is so".into(), advice: "wait".into() };
    let expected = "\
a: 4 of 19 pieces are here, 15 needed; after 13.0 s, listening on 127.0.0.1:1
sources
  --peer: 1 address
peers (we, it: i is interested, c chokes)
  address          client  by  age     has    need  we  it  asked  rates                rules
  192.0.2.1:6881   x 1.0   us  12.3 s  19/19  15    ic  --  0      0 B/s down 0 B/s up  stays
  [2001:db8::1]:1  -       it  0.0 s   ?      0     --  -c  0      0 B/s down 0 B/s up  bitfield-timeout in 48.0 s: no availability for 60.0 s
totals
  pieces_known 0 of 15 needed, peers_with_bitfield 0 of 2, can_request 0
  useful 0, unchoked 0, interested 0, incoming 0, slots 2 of 256 taken, would_drop 0
  candidates 0, half_open 0, met 0 (0 dialed in), blocked 0
  gone: lost 2
diagnosis
  it is so
    what to do: wait";
    let shown = lines(&facts, &[finding]).join("\n");
    assert_eq!(shown, expected);
}

#[test]
fn nodes_of_the_dht_are_counted_unless_we_stay_out_of_it() {
    let text = |dht_nodes| lines(&Facts { dht_nodes, ..Facts::default() }, &[]).join("\n");
    assert!(text(Some(37)).contains("sources\n  the DHT as a whole: 37 nodes known\n"));
    assert!(!text(None).contains("DHT"));
}
