use super::*;

fn example() -> Addresses {
    let wait = |reason: &str, left, times, clears, kind| KnownWait {
        reason: reason.to_owned(),
        left: Duration::from_secs(left),
        times,
        clears,
        kind,
    };
    let peer = |addr: &str, good, waits| KnownAddress {
        addr: addr.parse().unwrap(),
        dialable: true,
        good,
        waits,
    };
    Addresses {
        have: 12,
        complete: true,
        peers: vec![
            peer("192.0.2.1:6881", true, vec![]),
            peer(
                "[2001:db8::1]:6881",
                false,
                vec![
                    wait("redundant", 55, 1, Clears::ModeChanged, WaitKind::Cooldown),
                    wait("lost", 0, 3, Clears::Never, WaitKind::Other),
                    wait("sent-bad-piece", 86_000, 1, Clears::Never, WaitKind::Ban),
                ],
            ),
        ],
        hosts: vec![("192.0.2.3".parse().unwrap(), Duration::from_secs(86_000))],
    }
}

fn refused(text: &str) -> String {
    Addresses::parse(text.as_bytes(), 0).unwrap_err().to_string()
}

#[test]
fn what_is_written_is_read_again() {
    assert_eq!(Addresses::parse(&example().to_bytes(1000), 1000), Ok(example()));
}

#[test]
fn waits_go_on_while_nobody_runs_and_a_clock_set_back_shortens_none() {
    let written = example().to_bytes(1000);
    assert_eq!(Addresses::parse(&written, 1050), Ok(example().after(Duration::from_secs(50))));
    let later = Addresses::parse(&written, 1000 + 100_000).unwrap();
    assert!(later.peers[1].waits.iter().all(|wait| wait.left.is_zero()));
    assert_eq!(later.hosts, []);
    assert_eq!(Addresses::parse(&written, 10), Ok(example()));
}

#[test]
fn a_wait_is_written_rather_too_long_than_too_short() {
    let mut addresses = example();
    addresses.peers[1].waits[0].left = Duration::from_millis(54_001);
    assert_eq!(Addresses::parse(&addresses.to_bytes(7), 7), Ok(example()));
}

#[test]
fn a_reason_of_many_words_becomes_one() {
    let mut addresses = example();
    addresses.peers[1].waits[0].reason = "of my\nown".to_owned();
    let read = Addresses::parse(&addresses.to_bytes(0), 0).unwrap();
    assert_eq!(read.peers[1].waits[0].reason, "of-my-own");
}

#[test]
fn what_a_later_version_adds_is_skipped() {
    let text =
        "ccbt-addresses 1 5 more\nswarm have=1 mood=good\npeer 192.0.2.1:1 rtt=5 good\nnews\n";
    let read = Addresses::parse(text.as_bytes(), 5).unwrap();
    assert!(read.have == 1 && read.peers.len() == 1 && read.peers[0].good);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    assert_eq!(refused(""), "line 1: not a file of addresses");
    assert_eq!(refused("ccbt-addresses 2 0"), "line 1: version 2, but 1 is the latest known");
    let value = "line 2: a number or an address that is none";
    for line in [
        "peer",
        "peer 192.0.2.1",
        "peer 192.0.2.1:1 wait=1,1,never",
        "swarm have=x",
        "host 1.2.3.4",
        "peer 192.0.2.1:1 ban=-1,1,never,x",
        "peer 192.0.2.1:1 ban=1,1,some-day,x",
        "host x left=1",
    ] {
        assert_eq!(refused(&format!("ccbt-addresses 1 0\n{line}")), value, "{line}");
    }
    assert_eq!(refused(&format!("ccbt-addresses 1 0\n{}", "x".repeat(4097))), "line 2: too long");
    assert_eq!(
        refused(&format!("ccbt-addresses 1 0{}", "\n".repeat(50_001))),
        "line 50001: too long"
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0_u8.., 0..200), now in 0_u64..) {
        let _ = Addresses::parse(&bytes, now);
        let behind = [b"ccbt-addresses 1 9\npeer 1.2.3.4:5 ".as_slice(), &bytes].concat();
        let _ = Addresses::parse(&behind, now);
    }
}
