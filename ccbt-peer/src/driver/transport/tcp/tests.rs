use std::future::poll_fn;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A connection that brings more than we take, and its other end.
async fn flooding() -> (Tcp, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let mut tcp = Tcp::new(ours);
    tcp.flood().unwrap();
    (tcp, listener.accept().await.unwrap().0)
}

async fn ready(tcp: &mut Tcp, out: &[u8]) -> Ready {
    poll_fn(|cx| tcp.poll_ready(cx, out, true)).await.unwrap()
}

/// Reads until somebody would have to wait.
fn drain(tcp: &mut Tcp) -> usize {
    let (mut all, mut buffer) = (0, vec![0; 4 * FLOOD]);
    loop {
        match tcp.try_read(&mut buffer) {
            Ok(count) => all += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return all,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn what_comes_after_a_flood_is_waited_for() {
    let (mut tcp, mut peer) = flooding().await;
    assert_eq!(ready(&mut tcp, &[]).await, Ready::Readable, "it is asked at once");
    assert_eq!(drain(&mut tcp), 0);
    assert!(matches!(tcp.0, State::Watched(_)));
    let waiting = tokio::spawn(async move {
        assert_eq!(ready(&mut tcp, &[]).await, Ready::Readable);
        tcp.try_read(&mut [0; 8]).unwrap()
    });
    peer.write_all(&[1]).await.unwrap();
    assert_eq!(waiting.await.unwrap(), 1);
}

#[tokio::test]
async fn every_byte_of_a_flood_is_read() {
    const ALL: usize = 8 * FLOOD;
    let (mut tcp, mut peer) = flooding().await;
    let sending = tokio::spawn(async move {
        peer.write_all(&vec![7; ALL]).await.unwrap();
        peer
    });
    let mut got = 0;
    while got < ALL {
        assert_eq!(ready(&mut tcp, &[]).await, Ready::Readable);
        got += drain(&mut tcp);
    }
    assert_eq!(got, ALL);
    drop(sending.await.unwrap());
    assert_eq!(ready(&mut tcp, &[]).await, Ready::Readable);
    assert_eq!(tcp.try_read(&mut [0]).unwrap(), 0, "the end is told as well");
}

#[tokio::test]
async fn one_large_read_makes_a_flood() {
    let (mut tcp, mut peer) = flooding().await;
    assert_eq!(drain(&mut tcp), 0);
    let sending = tokio::spawn(async move {
        // The last read may be a small one.
        loop {
            peer.write_all(&vec![7; FLOOD]).await.unwrap();
        }
    });
    while !matches!(tcp.0, State::Flooding(_)) {
        ready(&mut tcp, &[]).await;
        let _ = tcp.try_read(&mut vec![0; 2 * FLOOD]);
        tokio::task::yield_now().await;
    }
    sending.abort();
}

#[tokio::test]
async fn who_cannot_write_during_a_flood_waits_for_room() {
    let (mut tcp, mut peer) = flooding().await;
    let out = vec![3; FLOOD];
    let mut sent = 0;
    let full = loop {
        match tcp.try_write(&out) {
            Ok(count) => sent += count,
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    let reading = tokio::spawn(async move {
        let mut first = vec![0; sent];
        peer.read_exact(&mut first).await.unwrap();
        peer
    });
    let Ready::Written(count) = ready(&mut tcp, &out).await else {
        panic!("nothing was sent to us")
    };
    assert!(count > 0);
    assert!(matches!(tcp.0, State::Watched(_)) || reading.is_finished());
    reading.await.unwrap();
}
