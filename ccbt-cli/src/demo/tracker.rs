//! The demo's tracker: whoever asks hears of every peer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ccbt_peer::wire::tracker::AnnounceReply;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request is not longer than this.
const LONGEST: usize = 8 << 10;
/// A request does not take longer than this.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds until a client should ask again.
const INTERVAL: u32 = 1_800;

/// A running tracker; it ends when this is dropped.
pub(super) struct Tracker {
    _task: JoinSet<()>,
}

impl Tracker {
    /// Answers every announce on this socket with these peers.
    pub(super) fn run(listener: TcpListener, peers: Vec<SocketAddr>) -> Self {
        let mut reply = AnnounceReply::default();
        (reply.interval, reply.peers) = (Some(INTERVAL), peers);
        let body = reply.encode();
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that hangs or goes away is its own trouble.
                let _ = tokio::time::timeout(PATIENCE, answer(stream, &body)).await;
            }
        });
        Self { _task: task }
    }
}

async fn answer(mut stream: TcpStream, body: &[u8]) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > LONGEST || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    stream.shutdown().await
}
