//! opentracker, as Debian builds it: it serves only the torrents of its whitelist.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::place::{Place, Running, free_port};
use super::torrent::hex;

/// Where a tracker is, or will be.
pub(super) struct Tracker {
    address: SocketAddr,
}

impl Tracker {
    /// Picks an address; nothing runs yet, because the torrent needs the address and the tracker the torrent.
    pub(super) fn new(place: &Place) -> Result<Self> {
        Ok(Tracker { address: (place.host(254), free_port()?).into() })
    }

    /// The announce URL for torrents.
    pub(super) fn announce(&self) -> String {
        format!("http://{}/announce", self.address)
    }

    /// Starts it for this torrent and waits until it answers.
    pub(super) fn start(&self, place: &Place, info_hash: &[u8; 20]) -> Result<Running> {
        let folder = place.folder("tracker")?;
        readable_by_all(&folder)?;
        fs::write(folder.join("whitelist"), format!("{}\n", hex(info_hash)))?;
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

    /// Waits until so many seeds have announced themselves.
    pub(super) fn wait_for_seeds(
        &self,
        place: &Place,
        info_hash: &[u8; 20],
        seeds: usize,
    ) -> Result<()> {
        place.wait_for("the seeds to announce themselves", || Ok(self.seeds(info_hash)? >= seeds))
    }

    fn seeds(&self, info_hash: &[u8; 20]) -> Result<usize> {
        let escaped: String = info_hash.iter().map(|byte| format!("%{byte:02x}")).collect();
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET /scrape?info_hash={escaped} HTTP/1.0\r\nHost: {}\r\n\r\n",
            self.address
        )?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        Ok(complete(&reply).unwrap_or_default())
    }
}

/// The first `complete` in a scrape's reply.
fn complete(reply: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(reply);
    let (_, behind) = text.split_once("8:completei")?;
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
    use super::complete;

    #[test]
    fn the_seeds_are_read_from_a_scrape() {
        let reply = b"HTTP/1.0 200 OK\r\n\r\nd5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei3e10:downloadedi0eeee";
        assert_eq!(complete(reply), Some(3));
        assert_eq!(complete(b"d5:filesdee"), None);
    }
}
