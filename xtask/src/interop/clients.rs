//! Other people's clients, each sharing one torrent at an address of its own.

mod aria2;
mod libtorrent;
mod qbittorrent;
mod rtorrent;
mod transmission;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Result;

use super::namespace::Namespace;
use super::place::{Place, Running, free_port};
use super::tools::Tool;

/// Somebody else's client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Aria2,
    Transmission,
    Libtorrent,
    Rtorrent,
    Qbittorrent,
}

/// What a client is to do: get what is missing of the payload, and share it.
struct Job<'a> {
    place: &'a Place,
    torrent: &'a Path,
    /// The folder that the payload lies in, or comes to.
    folder: &'a Path,
    /// Where it listens; it dials from that host, too.
    address: SocketAddr,
    /// Bytes of payload a second that it sends at the most, a multiple of 1 KiB.
    limit_up: Option<u64>,
    /// The network in which it is, and looks for others.
    local: Option<&'a Namespace>,
}

/// Says whether a client has every piece.
type IsComplete = Box<dyn Fn(&Running) -> Result<bool> + Send + Sync>;

impl Client {
    pub(super) const ALL: [Client; 5] = [
        Client::Aria2,
        Client::Transmission,
        Client::Libtorrent,
        Client::Rtorrent,
        Client::Qbittorrent,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Client::Aria2 => "aria2",
            Client::Transmission => "transmission",
            Client::Libtorrent => "libtorrent",
            Client::Rtorrent => "rtorrent",
            Client::Qbittorrent => "qbittorrent",
        }
    }

    pub(super) fn tool(self) -> Tool {
        match self {
            Client::Aria2 => Tool::Aria2,
            Client::Transmission => Tool::Transmission,
            Client::Libtorrent => Tool::Libtorrent,
            Client::Rtorrent => Tool::Rtorrent,
            Client::Qbittorrent => Tool::Qbittorrent,
        }
    }

    /// Does it dial peers at loopback addresses? Who does not must be dialed.
    pub(super) fn dials_loopback(self) -> bool {
        self != Client::Transmission
    }

    /// transmission makes no files without content.
    pub(super) fn makes_empty_files(self) -> bool {
        self != Client::Transmission
    }

    /// The loopback address of its own that it has in every place.
    pub(super) fn host(self, place: &Place) -> Ipv4Addr {
        place.host(10 + self as u8)
    }

    /// Shares `torrent`, of which nothing, something or all lies in `folder`, sending at most
    /// `limit_up` bytes a second.
    pub(super) fn start(
        self,
        place: &Place,
        torrent: &Path,
        folder: &Path,
        limit_up: Option<u64>,
    ) -> Result<Working> {
        let address = (self.host(place), free_port()?).into();
        let job = Job { place, torrent, folder, address, limit_up, local: None };
        let (running, is_complete) = match self {
            Client::Aria2 => aria2::start(&job),
            Client::Transmission => transmission::start(&job),
            Client::Libtorrent => libtorrent::start(&job),
            Client::Rtorrent => rtorrent::start(&job),
            Client::Qbittorrent => qbittorrent::start(&job),
        }?;
        Ok(Working { client: self, address, running, is_complete })
    }
}

/// Has libtorrent share `torrent` at this address of a network of its own, in which it looks for others.
pub(super) fn libtorrent_within(
    place: &Place,
    torrent: &Path,
    folder: &Path,
    address: SocketAddr,
    network: &Namespace,
) -> Result<Working> {
    let job = Job { place, torrent, folder, address, limit_up: None, local: Some(network) };
    let (running, is_complete) = libtorrent::start(&job)?;
    Ok(Working { client: Client::Libtorrent, address, running, is_complete })
}

/// A client at work.
pub(super) struct Working {
    pub(super) client: Client,
    /// Where it accepts connections.
    pub(super) address: SocketAddr,
    running: Running,
    is_complete: IsComplete,
}

impl Working {
    /// Does it say that it has every piece?
    pub(super) fn is_complete(&self) -> Result<bool> {
        self.running.ensure_running()?;
        (self.is_complete)(&self.running)
    }

    /// Waits until it has every piece.
    pub(super) fn wait_until_complete(&self, place: &Place) -> Result<()> {
        place.wait_for(&format!("{} to be complete", self.client.name()), || self.is_complete())
    }

    /// Ends it, as a person would, so that everything is on the disk.
    pub(super) fn stop(&self) -> Result<()> {
        self.running.terminate().map(drop)
    }
}

/// A free port of the host that the clients' own interfaces are at.
fn control_address() -> Result<SocketAddr> {
    Ok((IpAddr::from(Ipv4Addr::LOCALHOST), free_port()?).into())
}
