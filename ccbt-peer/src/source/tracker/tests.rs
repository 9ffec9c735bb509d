use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::fixtures::*;
use super::*;
use crate::source::fixtures::Swarm;
use crate::source::http::server::{Server, answer};
use crate::source::http::{Answer, HttpError};
use crate::source::{PeerSource, http};

/// Runs a source for one tracker.
fn run<A, F>(trackers: &Trackers, swarm: &Swarm, answer: A) -> JoinHandle<()>
where
    A: Fn(usize, String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Answer, HttpError>> + Send + 'static,
{
    let rounds = HttpTracker::new(URL).unwrap().rounds;
    trackers.run(swarm, rounds, move |number, _, event| answer(number, event))
}

fn at(second: u64, event: &str) -> (u64, String) {
    (second, event.into())
}

#[tokio::test(start_paused = true)]
async fn the_life_of_a_download_is_told_in_order_each_event_once() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = run(&trackers, &swarm, async |_, _| reply(REPLY));
    for _ in 0..3 {
        assert_eq!(swarm.next().await, peers());
    }
    sleep(Duration::from_secs(100)).await;
    swarm.complete();
    for _ in 0..2 {
        assert_eq!(swarm.next().await, peers());
    }
    swarm.stop();
    task.await.unwrap();
    let heard = [
        (0, "started"),
        (900, "-"),
        (1800, "-"),
        (1900, "completed"),
        (2800, "-"),
        (2800, "stopped"),
    ];
    assert_eq!(trackers.heard(), heard.map(|(second, event)| at(second, event)));
    assert_eq!(trackers.query(0, "left").as_deref(), Some("1000"));
    assert_eq!(trackers.query(3, "left").as_deref(), Some("0"));
    assert_eq!(trackers.query(0, "port").as_deref(), Some("6881"));
    assert_eq!(trackers.query(5, "numwant").as_deref(), Some("0"));
    assert_eq!(trackers.query(0, "key"), trackers.query(5, "key"));
}

/// A byte a second, without end.
async fn drip(mut stream: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
    while stream.write_all(b"d").await.is_ok() {
        sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_drips_is_given_up_ten_seconds_after_the_announce() {
    let swarm = swarm();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/announce", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(drip(stream));
        }
    });
    let reply = over_http::read(http::get(&url, over_http::MOST_BYTES)).await;
    assert_eq!(reply, Err(HttpError::TimedOut { seconds: 10 }.into()));
    assert_eq!(swarm.clock().seconds(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_tracker_that_fails_is_asked_less_and_less_and_hears_no_goodbye() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = run(&trackers, &swarm, async |_, _| reply(b"d14:failure reason4:busye"));
    for _ in 0..4 {
        assert_eq!(swarm.next().await, Err("the tracker refused: busy".into()));
    }
    swarm.stop();
    task.await.unwrap();
    assert_eq!(trackers.heard(), [0, 15, 45, 105].map(|second| at(second, "started")));
}

#[tokio::test(start_paused = true)]
async fn completed_is_tried_again_when_it_failed_but_not_without_a_pause() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = run(&trackers, &swarm, async |number, _| {
        if number == 2 { Err(HttpError::Status(500)) } else { reply(REPLY) }
    });
    assert_eq!(swarm.next().await, peers());
    swarm.complete();
    assert_eq!(swarm.next().await, Err("http status 500".into()));
    assert_eq!(swarm.next().await, peers());
    assert_eq!(swarm.next().await, peers());
    assert_eq!(
        trackers.heard(),
        [at(0, "started"), at(0, "completed"), at(15, "completed"), at(915, "-")]
    );
    swarm.stop();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_download_that_ends_the_swarm_is_still_told_as_completed() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = run(&trackers, &swarm, async |_, _| reply(REPLY));
    assert_eq!(swarm.next().await, peers());
    swarm.complete();
    swarm.stop();
    task.await.unwrap();
    assert_eq!(trackers.heard(), [at(0, "started"), at(0, "completed"), at(0, "stopped")]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_under_way_at_the_stop_is_not_said_twice() {
    let swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = run(&trackers, &swarm, async |_, _| {
        sleep(Duration::from_millis(100)).await;
        reply(REPLY)
    });
    sleep(Duration::from_millis(50)).await;
    swarm.stop();
    task.await.unwrap();
    assert_eq!(trackers.heard(), [at(0, "started"), at(0, "stopped")]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_tracker_is_given_up_after_10_s_and_holds_up_a_stop_for_400_ms() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let task = run(&trackers, &swarm, async |number, _| {
        if number == 2 { reply(REPLY) } else { std::future::pending().await }
    });
    assert_eq!(swarm.next().await, Err("no answer within 10 s".into()));
    assert_eq!(swarm.next().await, peers());
    assert_eq!(trackers.heard(), [at(0, "started"), at(25, "started")]);
    let before = swarm.clock().millis();
    swarm.stop();
    task.await.unwrap();
    assert_eq!(swarm.clock().millis() - before, 400);
    assert_eq!(trackers.heard().last(), Some(&at(25, "stopped")));
}

#[tokio::test(start_paused = true)]
async fn a_tracker_id_is_sent_back_and_a_warning_is_handed_on() {
    let mut swarm = swarm();
    let trackers = Trackers::new(&swarm);
    let bytes = b"d8:intervali60e5:peers0:10:tracker id2:a&15:warning message4:soone";
    let task = run(&trackers, &swarm, async |_, _| reply(bytes));
    assert_eq!(swarm.next_warning().await.as_deref(), Some("soon"));
    assert_eq!(swarm.next_warning().await.as_deref(), Some("soon"));
    assert_eq!(trackers.query(0, "trackerid"), None);
    assert_eq!(trackers.query(1, "trackerid").as_deref(), Some("a%26"));
    swarm.stop();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_a_port_of_our_own_the_tracker_hears_of_one_that_it_takes() {
    let mut swarm = swarm();
    swarm.port = None;
    let trackers = Trackers::new(&swarm);
    let task = run(&trackers, &swarm, async |_, _| reply(REPLY));
    swarm.next().await.unwrap();
    assert_eq!(trackers.query(0, "port").as_deref(), Some("1"));
    swarm.stop();
    task.await.unwrap();
}

#[tokio::test]
async fn over_a_real_socket_it_asks_behind_the_query_of_the_url() {
    let server = Server::start(|_| answer("200 OK", "", REPLY)).await;
    let mut swarm = swarm();
    let tracker = HttpTracker::new(&server.url("/announce?pass=x")).unwrap();
    let task = tokio::spawn(Box::new(tracker).run(swarm.context()));
    assert_eq!(swarm.next().await, peers());
    swarm.stop();
    task.await.unwrap();
    let heads = server.heads();
    let hash = "%aa".repeat(20);
    let start = format!("GET /announce?pass=x&info_hash={hash}&peer_id=-CC0100-abcdefghijkl&");
    assert!(heads[0].starts_with(&start) && heads[0].contains("&event=started"), "{}", heads[0]);
    assert!(heads[1].contains("&event=stopped"), "{}", heads[1]);
    assert_eq!(heads.len(), 2);
}

#[tokio::test]
async fn a_reason_is_read_from_an_error_and_a_long_reply_is_refused() {
    let reason = b"d14:failure reason12:unregisterede";
    let server = Server::start(|target| match target.starts_with("/reason") {
        true => answer("400 Bad Request", "", reason),
        false => answer("200 OK", "", &vec![b'0'; over_http::MOST_BYTES + 1]),
    })
    .await;
    for (target, error) in [
        ("/reason", "the tracker refused: unregistered"),
        ("/long", "the answer is longer than 1048576 bytes"),
    ] {
        let mut swarm = swarm();
        let tracker = HttpTracker::new(&server.url(target)).unwrap();
        let task = tokio::spawn(Box::new(tracker).run(swarm.context()));
        assert_eq!(swarm.next().await, Err(error.into()));
        swarm.stop();
        task.await.unwrap();
    }
}
