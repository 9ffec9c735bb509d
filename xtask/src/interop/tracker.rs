//! opentracker, as Debian builds it: it serves only the torrents of its whitelist.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::http;
use super::payload::{Maker, Payload};
use super::place::{Place, Running, free_port};
use super::torrent::{hex, info_hash};

/// A tracker for one torrent.
pub(super) struct Tracker {
    address: SocketAddr,
    /// How it is asked: `http` or `udp`.
    scheme: &'static str,
    info_hash: [u8; 20],
}

impl Tracker {
    /// Has a torrent made that names the tracker's address; nothing runs there yet, because the tracker
    /// has to know the torrent.
    pub(super) fn with_torrent(
        place: &Place,
        payload: &Payload,
        maker: Maker,
    ) -> Result<(Self, PathBuf)> {
        Self::asked_over("http", place, payload, maker)
    }

    /// As `with_torrent`; the torrent names it by this scheme, `http` or `udp`: it answers both on one port.
    pub(super) fn asked_over(
        scheme: &'static str,
        place: &Place,
        payload: &Payload,
        maker: Maker,
    ) -> Result<(Self, PathBuf)> {
        let address = (place.host(254), free_port()?).into();
        let torrent = maker.make(place, payload, &format!("{scheme}://{address}/announce"))?;
        let info_hash = info_hash(&fs::read(&torrent)?).context("the torrent has no info")?;
        Ok((Tracker { address, scheme, info_hash }, torrent))
    }

    /// A link to the torrent that names nothing but this tracker.
    pub(super) fn magnet(&self) -> String {
        format!("{}&tr={}://{}/announce", magnet(&self.info_hash), self.scheme, self.address)
    }

    /// A link to the torrent that names nothing but a peer.
    pub(super) fn magnet_with_peer(&self, peer: SocketAddr) -> String {
        format!("{}&x.pe={peer}", magnet(&self.info_hash))
    }

    /// Starts it and waits until it answers.
    pub(super) fn start(&self, place: &Place) -> Result<Running> {
        let folder = place.folder("tracker")?;
        readable_by_all(&folder)?;
        fs::write(folder.join("whitelist"), format!("{}\n", hex(&self.info_hash)))?;
        let (host, port) = (self.address.ip().to_string(), self.address.port().to_string());
        let mut command = Command::new("opentracker");
        // It makes the folder its root if it may, so the whitelist's path is seen from there.
        command
            .args(["-i", &host, "-p", &port, "-P", &port, "-w", "whitelist", "-d"])
            .arg(&folder)
            .current_dir(&folder);
        let running = place.start("opentracker", &mut command)?;
        place.wait_for("opentracker", || {
            running.ensure_running()?;
            Ok(TcpStream::connect(self.address).is_ok())
        })?;
        Ok(running)
    }

    /// Waits until so many seeds and leechers have announced themselves.
    pub(super) fn wait_for_peers(
        &self,
        place: &Place,
        (seeds, leechers): (usize, usize),
    ) -> Result<()> {
        let what = format!("{seeds} seeds and {leechers} leechers to announce themselves");
        place.wait_for(&what, || {
            let reply = self.scrape()?;
            let counted = |key| count(&reply, key).unwrap_or_default();
            Ok(counted("complete") >= seeds && counted("incomplete") >= leechers)
        })
    }

    fn scrape(&self) -> Result<Vec<u8>> {
        let escaped: String = self.info_hash.iter().map(|byte| format!("%{byte:02x}")).collect();
        http::get(self.address, &format!("/scrape?info_hash={escaped}"))
    }
}

/// A link to the torrent that names nobody.
pub(super) fn magnet(info_hash: &[u8; 20]) -> String {
    format!("magnet:?xt=urn:btih:{}", hex(info_hash))
}

/// The first number under this key in a scrape's reply.
fn count(reply: &[u8], key: &str) -> Option<usize> {
    let text = String::from_utf8_lossy(reply);
    let (_, behind) = text.split_once(&format!("{}:{key}i", key.len()))?;
    behind.split_once('e')?.0.parse().ok()
}

/// opentracker gives up root before it reads its whitelist.
#[cfg(unix)]
fn readable_by_all(folder: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).context("the tracker's folder")
}

#[cfg(not(unix))]
fn readable_by_all(folder: &std::path::Path) -> Result<()> {
    fs::metadata(folder).map(drop).context("the tracker's folder")
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn seeds_and_leechers_are_read_from_a_scrape() {
        let reply = b"d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei3e10:incompletei12eeee";
        assert_eq!(count(reply, "complete"), Some(3));
        assert_eq!(count(reply, "incomplete"), Some(12));
        assert_eq!(count(b"d5:filesdee", "complete"), None);
    }
}
