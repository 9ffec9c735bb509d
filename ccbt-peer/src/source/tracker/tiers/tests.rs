use std::time::Duration;

use ccbt_wire::tracker::udp::{Reply, Request};
use ccbt_wire::tracker::{AnnounceEvent, AnnounceReply};
use tokio::time::sleep;

use super::*;
use crate::source::http::server::{Server, answer};
use crate::source::tracker::fixtures::*;
use crate::source::tracker::schedule::AnnounceError;
use crate::source::udp::server::Server as UdpServer;
use crate::source::udp::{PATIENCE, UdpError};

const A: &str = "http://a.example/announce";
const B: &str = "http://b.example/announce";
const C: &str = "https://c.example/announce?pass=x";

/// Trackers in the order in which they are given, whatever the seed has to say.
fn in_order(tiers: &[&[&str]]) -> Rounds {
    let conversation = |url: &&str| Conversation::new(Tracker::new(url).unwrap());
    let tiers = tiers.iter().map(|tier| tier.iter().map(conversation).collect());
    Rounds::new(Order::new(tiers.collect()), 7)
}

#[tokio::test(start_paused = true)]
async fn the_next_tier_is_asked_when_all_of_one_failed_and_the_first_one_again_next_time() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = trackers.run(&swarm, in_order(&[&[A, B], &[C]]), async |number, host, _| {
        match (number, host) {
            (1..=2, _) => down(),
            (_, 'a') => down(),
            _ => reply(REPLY),
        }
    });
    for (url, result) in [
        (A, Err("http status 500".to_owned())),
        (B, Err("http status 500".to_owned())),
        (C, peers()),
        (A, Err("http status 500".to_owned())),
        (B, peers()),
        (B, peers()),
    ] {
        assert_eq!(swarm.next_named().await, (url.to_owned(), result));
    }
    swarm.stop();
    task.await.unwrap();
    assert_eq!(
        trackers.lines(),
        [
            "0 a started",
            "0 b started",
            "0 c started",
            "900 a started",
            // It responds, and is the first of its tier from now on.
            "900 b started",
            "1800 b -",
            "1800 b stopped",
            "1800 c stopped",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn while_the_first_responds_the_others_hear_nothing() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let rounds = in_order(&[&[A, B], &[C]]);
    let task = trackers.run(&swarm, rounds, async |_, _, _| reply(b"d8:intervali900ee"));
    for _ in 0..2 {
        assert_eq!(swarm.next().await, Ok(vec![]), "no peers are a response too");
    }
    swarm.complete();
    swarm.next().await.unwrap();
    swarm.stop();
    task.await.unwrap();
    assert_eq!(trackers.lines(), ["0 a started", "900 a -", "900 a completed", "900 a stopped"]);
}

#[tokio::test(start_paused = true)]
async fn who_failed_is_passed_over_until_its_time_has_come() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let full: &[u8] = b"d14:failure reason4:full8:retry ini3ee";
    let task =
        trackers.run(&swarm, in_order(&[&[A], &[B], &[C]]), async move |_, host, _| match host {
            'a' => reply(full),
            'b' => down(),
            _ => reply(b"d8:intervali60ee"),
        });
    while swarm.clock().seconds() < 240 {
        let _ = swarm.next().await;
    }
    swarm.stop();
    task.await.unwrap();
    let lines = trackers.lines();
    let of = |host: &str| -> Vec<u64> {
        let asked = lines.iter().filter(|line| line.contains(host) && !line.contains("stopped"));
        asked.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
    };
    assert_eq!(of(" c "), [0, 60, 120, 180, 240]);
    assert_eq!(of(" a "), [0, 180], "it wants 3 minutes of peace");
    assert_eq!(of(" b "), [0, 60, 120, 180], "15 s, 30 s and 60 s were over, 120 s are not");
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_each_is_tried_again_after_its_own_time() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = trackers.run(&swarm, in_order(&[&[A], &[B]]), async |number, host, _| {
        match (number, host) {
            (1, 'a') => reply(b"d14:failure reason4:full8:retry ini1ee"),
            _ => down(),
        }
    });
    for _ in 0..6 {
        assert!(swarm.next().await.is_err());
    }
    swarm.stop();
    task.await.unwrap();
    assert_eq!(
        trackers.lines(),
        ["0 a", "0 b", "15 b", "45 b", "60 a", "90 a"].map(|line| format!("{line} started")),
    );
}

#[tokio::test(start_paused = true)]
async fn each_tracker_gets_its_own_id_back_and_all_hear_the_same_key() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = trackers.run(&swarm, in_order(&[&[A], &[B]]), async |number, host, _| {
        match (number, host) {
            (1, _) => reply(b"d8:intervali60e10:tracker id2:ide"),
            (2, _) => down(),
            (_, 'a') => reply(b"d8:intervali60ee"),
            _ => reply(b"d8:intervali60e10:tracker id5:othere"),
        }
    });
    for _ in 0..4 {
        let _ = swarm.next().await;
    }
    swarm.stop();
    task.await.unwrap();
    let told = |index: usize| (trackers.lines()[index].clone(), trackers.query(index, "trackerid"));
    assert_eq!(told(0), ("0 a started".into(), None));
    assert_eq!(told(1), ("60 a -".into(), Some("id".into())));
    assert_eq!(told(2), ("60 b started".into(), None));
    for index in 0..trackers.lines().len() {
        assert_eq!(trackers.query(index, "key").as_deref(), Some("00000007"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_longer_one_of_interval_and_min_interval_is_waited_for_even_if_others_would_be_due() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let patient = b"d8:intervali60e12:min intervali600ee";
    let task = trackers.run(&swarm, in_order(&[&[A, B]]), async move |_, host, _| match host {
        'a' => down(),
        _ => reply(patient),
    });
    for _ in 0..4 {
        let _ = swarm.next().await;
    }
    swarm.stop();
    task.await.unwrap();
    assert_eq!(
        trackers.lines()[..4],
        ["0 a started", "0 b started", "600 b -", "1200 b -"].map(str::to_owned)
    );
}

#[tokio::test(start_paused = true)]
async fn a_completion_is_told_at_once_and_at_the_end_to_who_did_not_hear_it() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = trackers.run(&swarm, in_order(&[&[A], &[B]]), async |number, _, _| {
        if number == 1 { down() } else { reply(REPLY) }
    });
    assert!(swarm.next().await.is_err());
    assert_eq!(swarm.next_named().await, (B.into(), peers()));
    assert_eq!(swarm.next_named().await, (A.into(), peers()));
    sleep(Duration::from_secs(50)).await;
    swarm.complete();
    assert_eq!(swarm.next_named().await, (A.into(), peers()));
    assert_eq!(swarm.next_named().await, (A.into(), peers()));
    swarm.stop();
    task.await.unwrap();
    assert_eq!(
        trackers.lines(),
        [
            "0 a started",
            "0 b started",
            "900 a started",
            "950 a completed",
            "1850 a -",
            "1850 a stopped",
            "1850 b completed",
            "1850 b stopped",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn goodbyes_are_said_side_by_side() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = trackers.run(&swarm, in_order(&[&[A], &[B], &[C]]), async |number, _, event| {
        if event == "stopped" {
            sleep(Duration::from_millis(300)).await;
        }
        match number {
            // Each of them once, and then the other.
            2 | 4 | 5 => down(),
            _ => reply(REPLY),
        }
    });
    for _ in 0..6 {
        let _ = swarm.next().await;
    }
    let before = swarm.clock().millis();
    swarm.stop();
    task.await.unwrap();
    assert_eq!(swarm.clock().millis() - before, 300);
    let lines = trackers.lines();
    assert_eq!(
        lines[lines.len() - 3..],
        ["1800 a stopped", "1800 b stopped", "1800 c stopped"].map(str::to_owned)
    );
}

#[tokio::test(start_paused = true)]
async fn without_trackers_there_is_nothing_to_do() {
    let swarm = swarm();
    let tiers = TrackerTiers::new(&[vec!["wss://a.example:80/announce"]]);
    assert!(tiers.is_empty());
    Box::new(tiers).run(swarm.context()).await;
}

#[test]
fn what_cannot_be_asked_is_skipped_and_nobody_comes_twice() {
    let tiers = [vec!["udp://u.example", A, "wss://w.example"], vec![], vec![" ", A], vec![C, C]];
    let trackers = TrackerTiers::new(&tiers);
    assert_eq!(trackers.urls().collect::<Vec<_>>(), [A, C]);
    let skipped: Vec<&str> = trackers.skipped().iter().map(|(url, _)| url.as_str()).collect();
    assert_eq!(skipped, ["udp://u.example", "wss://w.example", ""]);
    let scheme = UrlError::Scheme { scheme: "wss".into(), known: "http, https and udp" };
    assert_eq!(trackers.skipped()[1].1, scheme);
}

#[test]
fn twenty_trackers_are_asked_and_no_more() {
    let urls: Vec<String> = (0..30).map(|n| format!("http://t{n}.example/announce")).collect();
    let tiers: Vec<Vec<&str>> =
        urls.chunks(3).map(|tier| tier.iter().map(String::as_str).collect()).collect();
    let trackers = TrackerTiers::new(&tiers);
    assert_eq!((trackers.len(), trackers.skipped().len()), (MOST, 10));
    assert!(trackers.urls().all(|asked| urls[..20].iter().any(|url| url == asked)));
    let (url, error) = &trackers.skipped()[0];
    assert_eq!((url.as_str(), error), (&*urls[20], &UrlError::TooMany { limit: 20 }));
}

#[test]
fn a_seed_fixes_the_order_and_the_key() {
    let tier =
        ["http://1", "http://2", "http://3", "http://4"].map(|base| format!("{base}.example/a"));
    let tiers = [tier.to_vec()];
    let urls = |seed| {
        let trackers = TrackerTiers::with_seed(&tiers, seed);
        format!("{:?}", trackers.rounds)
    };
    assert_eq!(urls(1), urls(1));
    assert!((2..20).any(|seed| urls(seed) != urls(1)));
}

#[test]
fn a_lone_tracker_gives_its_name() {
    assert_eq!(TrackerTiers::new(&[[A]]).name(), A);
    assert_eq!(TrackerTiers::new(&[[A, B]]).name(), "trackers");
}

#[tokio::test]
async fn over_real_sockets_a_dead_tracker_is_followed_by_a_live_one() {
    let live = Server::start(|_| answer("200 OK", "", REPLY)).await;
    let dead = Server::start(|_| answer("404 Not Found", "", b"no tracker here")).await;
    let (dead_url, live_url) = (dead.url("/announce"), live.url("/announce"));
    let mut swarm = swarm();
    let tiers = TrackerTiers::new(&[[&dead_url], [&live_url]]);
    let task = tokio::spawn(Box::new(tiers).run(swarm.context()));
    assert_eq!(swarm.next_named().await, (dead_url, Err("http status 404".into())));
    assert_eq!(swarm.next_named().await, (live_url, peers()));
    swarm.stop();
    task.await.unwrap();
    assert_eq!(dead.heads().len(), 1, "it knows nothing of us");
    assert!(live.heads()[1].contains("&event=stopped"));
}

#[tokio::test]
async fn a_dead_http_tracker_is_followed_by_a_udp_one_which_hears_the_goodbye() {
    let live = Server::start(|_| answer("404 Not Found", "", b"no tracker here")).await;
    let udp = UdpServer::start("127.0.0.1", |request| {
        let Request::Announce { announce, .. } = request else { return None };
        assert!(announce.event.is_some());
        Some(Reply::Announce(AnnounceReply::parse(REPLY).unwrap()))
    })
    .await;
    let (http_url, udp_url) = (live.url("/announce"), udp.url("/announce"));
    let mut swarm = swarm();
    let tiers = TrackerTiers::new(&[[&http_url], [&udp_url]]);
    assert!(tiers.skipped().is_empty());
    let task = tokio::spawn(Box::new(tiers).run(swarm.context()));
    assert_eq!(swarm.next_named().await, (http_url, Err("http status 404".into())));
    assert_eq!(swarm.next_named().await, (udp_url, peers()));
    swarm.stop();
    task.await.unwrap();
    let events: Vec<Option<AnnounceEvent>> = udp
        .heard()
        .iter()
        .filter_map(|request| match request {
            Request::Announce { announce, .. } => Some(announce.event),
            _ => None,
        })
        .collect();
    assert_eq!(events, [Some(AnnounceEvent::Started), Some(AnnounceEvent::Stopped)]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_udp_tracker_holds_up_the_others_for_15_s() {
    let mut swarm = swarm();
    let rounds = in_order(&[&["udp://u.example:80"], &[A]]);
    let ask = async |tracker: Tracker, _| match tracker {
        Tracker::Udp(_) => {
            sleep(PATIENCE).await;
            Err(AnnounceError::from(UdpError::TimedOut { seconds: 15 }))
        }
        Tracker::Http(_) => Ok(AnnounceReply::parse(REPLY).unwrap()),
    };
    let task = tokio::spawn(rounds.run(swarm.context(), ask));
    assert_eq!(swarm.next().await, Err("no answer within 15 s".into()));
    assert_eq!(swarm.next_named().await, (A.to_owned(), peers()));
    assert_eq!(swarm.clock().seconds(), 15);
    swarm.stop();
    task.await.unwrap();
}
