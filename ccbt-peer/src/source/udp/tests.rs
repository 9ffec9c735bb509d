use std::net::SocketAddr;

use ccbt_wire::tracker::udp::{Family, Reply, Request};
use ccbt_wire::tracker::{Announce, AnnounceEvent, AnnounceReply, ScrapeCounts};
use ccbt_wire::{InfoHash, PeerId};
use tokio::net::UdpSocket;

use super::exchange::Ask;
use super::server::Server;
use super::*;
use crate::driver::Clock;

const HASH: InfoHash = InfoHash([0xaa; 20]);

fn announce(event: Option<AnnounceEvent>) -> Announce {
    Announce {
        info_hash: HASH,
        peer_id: PeerId(*b"-CC0100-abcdefghijkl"),
        port: 6881,
        uploaded: 0,
        downloaded: 0,
        left: 1,
        event,
        numwant: Some(200),
        key: Some(7),
        tracker_id: None,
    }
}

/// One peer, and an interval of 900 s.
fn reply(peer: &str) -> Reply {
    let mut reply = AnnounceReply::default();
    (reply.interval, reply.complete, reply.incomplete) = (Some(900), Some(2), Some(1));
    reply.peers = vec![peer.parse().unwrap()];
    Reply::Announce(reply)
}

fn peers(reply: &AnnounceReply) -> Vec<String> {
    let mut peers: Vec<String> = reply.peers.iter().map(SocketAddr::to_string).collect();
    peers.sort_unstable();
    peers
}

#[tokio::test]
async fn over_a_real_socket_an_announce_brings_peers_and_the_url_goes_along() {
    let server = Server::start("127.0.0.1", |_| Some(reply("10.0.0.1:6881"))).await;
    let tracker = UdpTracker::new(&server.url("/announce?pass=x")).unwrap();
    let answer = tracker.announce(announce(Some(AnnounceEvent::Started))).await.unwrap();
    assert_eq!(peers(&answer), ["10.0.0.1:6881"]);
    assert_eq!(
        (answer.interval, answer.complete, answer.incomplete),
        (Some(900), Some(2), Some(1))
    );
    let asked = |event| Request::Announce {
        connection: 4711,
        announce: announce(event),
        url_data: b"/announce?pass=x".to_vec(),
    };
    assert_eq!(server.heard(), [Request::Connect, asked(Some(AnnounceEvent::Started))]);
    // The connection id is still good.
    tracker.announce(announce(None)).await.unwrap();
    assert_eq!(server.heard()[2..], [asked(None)]);
}

#[tokio::test]
async fn over_ipv6_peers_have_18_bytes_and_both_families_are_asked() {
    if let Err(error) = std::net::UdpSocket::bind("[::1]:0")
        && error.kind() == std::io::ErrorKind::AddrNotAvailable
    {
        eprintln!("skipped: this machine has no ::1");
        return;
    }
    let four = Server::start("127.0.0.1", |_| Some(reply("10.0.0.1:6881"))).await;
    let six = Server::start("::1", |_| Some(reply("[2001:db8::1]:6882"))).await;
    let tracker = UdpTracker::new(&six.url("/announce")).unwrap();
    let answer = tracker.announce(announce(None)).await.unwrap();
    assert_eq!(peers(&answer), ["[2001:db8::1]:6882"]);
    let ask = Ask::Announce { announce: announce(None), url_data: String::new() };
    let until = Clock::start().now() + PATIENCE;
    let replies = tracker.ask(&[four.address, six.address], &ask, until).await.unwrap();
    assert_eq!(replies.len(), 2);
    // Who goes is gone from both, without another look at the name.
    tracker.announce(announce(Some(AnnounceEvent::Stopped))).await.unwrap();
    for server in [four, six] {
        let last = server.heard().pop();
        let stopped = announce(Some(AnnounceEvent::Stopped));
        let is_goodbye =
            matches!(last, Some(Request::Announce { announce, .. }) if announce == stopped);
        assert!(is_goodbye);
    }
}

#[tokio::test]
async fn one_family_is_enough_when_the_other_cannot_be_reached() {
    let four = Server::start("127.0.0.1", |_| Some(reply("10.0.0.1:6881"))).await;
    let dead = {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.local_addr().unwrap()
    };
    let tracker = UdpTracker::new(&four.url("")).unwrap();
    let ask = Ask::Announce { announce: announce(None), url_data: String::new() };
    let until = Clock::start().now() + PATIENCE;
    for servers in [[four.address, dead], [dead, four.address]] {
        let replies = tracker.ask(&servers, &ask, until).await.unwrap();
        assert_eq!(replies, [reply("10.0.0.1:6881")]);
    }
}

#[tokio::test]
async fn a_reply_from_another_address_does_not_count() {
    let tracker_socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let liar = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let url = format!("udp://{}", tracker_socket.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut buffer = [0; 2048];
        for round in 0..2 {
            let (length, client) = tracker_socket.recv_from(&mut buffer).await.unwrap();
            let (transaction, _) = Request::parse(&buffer[..length]).unwrap();
            let refusal = Reply::Error("forged".into()).encode(transaction, Family::V4);
            liar.send_to(&refusal, client).await.unwrap();
            let honest = match round {
                0 => Reply::Connect { connection: 1 },
                _ => reply("10.0.0.1:6881"),
            };
            let honest = honest.encode(transaction, Family::V4);
            tracker_socket.send_to(&honest, client).await.unwrap();
        }
    });
    let answer = UdpTracker::new(&url).unwrap().announce(announce(None)).await.unwrap();
    assert_eq!(peers(&answer), ["10.0.0.1:6881"]);
    server.await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_told_in_the_words_of_the_tracker() {
    let server = Server::start("127.0.0.1", |_| Some(Reply::Error("not here".into()))).await;
    let tracker = UdpTracker::new(&server.url("")).unwrap();
    let error = tracker.announce(announce(None)).await.unwrap_err();
    assert_eq!(error.to_string(), "the tracker refused: not here");
    assert_eq!(server.heard().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_silent_tracker_is_given_up_after_15_s() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let tracker = UdpTracker::new(&format!("udp://{}", socket.local_addr().unwrap())).unwrap();
    let clock = Clock::start();
    let result = tracker.announce(announce(None)).await;
    assert_eq!(result, Err(UdpError::TimedOut { seconds: 15 }));
    let waited = clock.now().as_millis();
    assert!((15_000..15_010).contains(&waited), "{waited} ms");
}

#[tokio::test]
async fn a_scrape_brings_the_three_numbers() {
    let mut counts = ScrapeCounts::default();
    (counts.complete, counts.downloaded, counts.incomplete) = (Some(5), Some(50), Some(10));
    let server = Server::start("127.0.0.1", move |_| Some(Reply::Scrape(vec![counts]))).await;
    let told = crate::source::scrape(&server.url("/announce"), HASH).await;
    assert_eq!(told, Ok(counts));
    let asked = Request::Scrape { connection: 4711, torrents: vec![HASH] };
    assert_eq!(server.heard(), [Request::Connect, asked]);
    let empty = Server::start("127.0.0.1", |_| Some(Reply::Scrape(Vec::new()))).await;
    let told = crate::source::scrape(&empty.url("/announce"), HASH).await;
    assert_eq!(told, Err(crate::source::ScrapeError::NotListed));
}
