//! How the network is used, by every command that trades with peers.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::{Eviction, value};

/// How peers are found, what they may cost, and who of them may stay.
#[derive(Args, Debug)]
pub(crate) struct Network {
    #[command(flatten)]
    pub(crate) contact: Contact,

    /// Ask the router, by PCP, NAT-PMP or UPnP, to lead connections from outside to us
    #[arg(long)]
    pub(crate) map_port: bool,

    /// Hold at most so many connections for all torrents together [default: as many as there may be open files]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_connections: Option<u32>,

    /// Have at most so many dials under way for all torrents together
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_half_open: u32,

    /// Receive at most so many bytes a second from all peers together, such as 500K or 1.5MiB/s
    #[arg(long, value_name = "RATE", default_value = "off", value_parser = value::rate)]
    pub(crate) limit_down: Rate,

    /// Send at most so many bytes a second to all peers together
    #[arg(long, value_name = "RATE", default_value = "off", value_parser = value::rate)]
    pub(crate) limit_up: Rate,

    #[command(flatten)]
    pub(crate) eviction: Eviction,

    /// Drop nobody: only report whom the rules would drop (-v, --events)
    #[arg(long)]
    pub(crate) evict_dry_run: bool,
}

/// How peers are found, and who of them is let in.
#[derive(Args, Debug)]
pub(crate) struct Contact {
    /// Connect to this peer, too, and keep trying; may be repeated
    #[arg(long = "peer", value_name = "HOST:PORT", value_parser = value::host)]
    pub(crate) peers: Vec<String>,

    /// Accept connections here; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "[::]:0", value_parser = value::listen)]
    pub(crate) listen: SocketAddr,

    /// Use this network interface alone, such as eth0 or tun0, for peers, trackers and the DHT
    #[arg(long, value_name = "NAME")]
    pub(crate) interface: Option<String>,

    /// Hold at most so many connections for each torrent
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub(crate) max_peers: u32,

    /// Do not ask the torrent's trackers
    #[arg(long)]
    pub(crate) no_tracker: bool,

    /// Do not look for peers in the local network (private torrents never do)
    #[arg(long)]
    pub(crate) no_lsd: bool,

    /// Do not download from the torrent's web seeds
    #[arg(long)]
    pub(crate) no_web_seed: bool,

    #[command(flatten)]
    pub(crate) dht: DhtOptions,

    #[command(flatten)]
    pub(crate) off: Undiscovered,

    /// Neither dial nor let in the addresses in this list, in CIDR, P2P or DAT form
    #[arg(long, value_name = "FILE")]
    pub(crate) blocklist: Option<PathBuf>,

    /// Keep the peers of this host whatever the rules say; may be repeated
    #[arg(long, value_name = "IP")]
    pub(crate) pin: Vec<IpAddr>,

    /// Neither read nor write what is known of addresses and magnet links from run to run
    #[arg(long)]
    pub(crate) no_state: bool,
}

/// Bytes a second at the most; `None` is `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) Option<u64>);

/// Peers without a tracker.
#[derive(Args, Debug)]
pub(crate) struct DhtOptions {
    /// Stay out of the DHT; private torrents always do
    #[arg(long)]
    pub(crate) no_dht: bool,

    /// Find the way into the DHT by this node, and not by the usual ones; may be repeated
    #[arg(long, value_name = "HOST:PORT", value_parser = value::host)]
    pub(crate) dht_bootstrap: Vec<String>,
}

/// Ways of finding peers that this version does not have. Switching them off is a promise that they
/// stay off, so scripts may make it today.
#[derive(Args, Debug)]
pub(crate) struct Undiscovered {
    /// Do not exchange addresses with peers
    #[arg(long)]
    pub(crate) no_pex: bool,
}
