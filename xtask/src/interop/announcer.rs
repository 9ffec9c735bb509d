//! A tracker that answers when the scenario wants it to: its peers are found then, not before.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

/// ccbt gives an answer up after 10 s; one without peers comes before that.
const PATIENCE: Duration = Duration::from_secs(9);

/// An HTTP tracker of one torrent; it goes when this is dropped.
pub(crate) struct Announcer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The peers, and when they were first told.
    known: Mutex<(Option<Vec<SocketAddr>>, Option<Instant>)>,
    named: Condvar,
    stop: AtomicBool,
}

impl Announcer {
    /// Starts one that knows nobody yet.
    pub(crate) fn start(host: Ipv4Addr) -> Result<Self> {
        let listener = TcpListener::bind((host, 0))?;
        let announcer =
            Announcer { address: listener.local_addr()?, shared: Arc::new(Shared::default()) };
        let shared = Arc::clone(&announcer.shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.stop.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    if let Err(error) = shared.answer(stream) {
                        eprintln!("scripted tracker: {error:#}");
                    }
                });
            }
        });
        Ok(announcer)
    }

    /// What a torrent calls it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/announce", self.address)
    }

    /// Whoever asks, or has asked and waits, is told these.
    pub(crate) fn name(&self, peers: impl IntoIterator<Item = SocketAddr>) {
        let mut known = self.shared.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.0 = Some(peers.into_iter().collect());
        self.shared.named.notify_all();
    }

    /// When somebody was first told who the peers are.
    pub(super) fn told_at(&self) -> Option<Instant> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, so that it sees the flag; if it is gone already, all is well.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> Result<()> {
        let mut head = BufReader::new(stream.try_clone()?).lines();
        while head.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut known, _) = self
            .named
            .wait_timeout_while(known, PATIENCE, |known| known.0.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let body = reply(known.0.as_deref().unwrap_or_default());
        if known.0.is_some() && known.1.is_none() {
            known.1 = Some(Instant::now());
        }
        drop(known);
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
        Ok(stream.write_all(&body)?)
    }
}

/// A reply with compact peers (BEP 23).
fn reply(peers: &[SocketAddr]) -> Vec<u8> {
    let compact = peers.iter().filter_map(|peer| match peer.ip() {
        IpAddr::V4(ip) => Some([ip.octets().as_slice(), &peer.port().to_be_bytes()].concat()),
        IpAddr::V6(_) => None,
    });
    let compact: Vec<u8> = compact.flatten().collect();
    let head = format!("d8:intervali1800e5:peers{}:", compact.len());
    [head.as_bytes(), &compact, b"e"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_has_six_bytes_for_each_peer() {
        let peers = [([127, 0, 0, 1], 0x1ae1).into(), ([10, 1, 2, 3], 80).into()];
        let expected = b"d8:intervali1800e5:peers12:\x7f\0\0\x01\x1a\xe1\x0a\x01\x02\x03\0\x50e";
        assert_eq!(reply(&peers), expected);
        assert_eq!(reply(&[]), b"d8:intervali1800e5:peers0:e");
    }

    #[test]
    fn who_asks_too_early_is_told_when_the_peers_are_known() {
        let announcer = Announcer::start(Ipv4Addr::LOCALHOST).unwrap();
        let address = announcer.address;
        let asking = thread::spawn(move || super::super::http::get(address, "/announce"));
        announcer.name([([127, 0, 0, 1], 9).into()]);
        assert_eq!(asking.join().unwrap().unwrap(), reply(&[([127, 0, 0, 1], 9).into()]));
        assert!(announcer.told_at().is_some());
    }
}
