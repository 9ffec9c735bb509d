//! A network without a single address of IPv4.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::clients;
use super::download::Get;
use super::namespace::Namespace;
use super::payload::{Maker, Payload};
use super::place::{Place, free_port};
use super::seed::Seed;
use super::tools::Tool;
use super::torrent::info_hash;
use super::tracker::magnet;

pub(super) fn scenarios() -> Vec<Scenario> {
    let needs = [Tool::Libtorrent, Tool::Namespaces];
    vec![
        Scenario::new("ipv6/alone-from-libtorrent", from_libtorrent).needing(needs),
        Scenario::new("ipv6/alone-to-libtorrent", to_libtorrent).needing(needs),
    ]
}

/// A magnet link with the seed's address is all there is; metadata and payload come over IPv6.
fn from_libtorrent(place: &Place) -> Result<()> {
    let (payload, torrent) = torrent(place)?;
    let network = Namespace::of_ipv6(place)?;
    let address = (Namespace::host_of_ipv6(2), free_port()?).into();
    let seed = clients::libtorrent_within(place, &torrent, &payload.folder, address, &network)?;
    seed.wait_until_complete(place)?;
    let link = format!("{}&x.pe={address}", link(&torrent)?);
    let get = Get::new("get", Path::new(&link)).in_local_network(&network).start(place)?;
    get.finish()?;
    let events = get.events()?;
    let met = events.iter().find(|event| event.name == "peer_connected");
    let peer = met.context("nobody was met")?.peer;
    ensure!(peer == Some(address), "met {peer:?}, not {address}");
    payload.compare(&get.output, true)
}

/// libtorrent has nothing but our address.
fn to_libtorrent(place: &Place) -> Result<()> {
    let (payload, torrent) = torrent(place)?;
    let network = Namespace::of_ipv6(place)?;
    let listen = (Namespace::host_of_ipv6(1), free_port()?).into();
    let seed = Seed::start_in(place, &torrent, &payload.folder, listen, &[], Some(&network))?;
    let link = format!("{}&x.pe={listen}", link(&torrent)?);
    let output = place.folder("download")?;
    let address = (Namespace::host_of_ipv6(2), free_port()?).into();
    let client = clients::libtorrent_within(place, Path::new(&link), &output, address, &network)?;
    client.wait_until_complete(place)?;
    seed.stop()?;
    payload.compare(&output, true)
}

fn torrent(place: &Place) -> Result<(Payload, std::path::PathBuf)> {
    let payload = Payload::single(place)?;
    let torrent = Maker::Ccbt.make(place, &payload, "http://[::1]:9/announce")?;
    Ok((payload, torrent))
}

fn link(torrent: &Path) -> Result<String> {
    let info_hash = info_hash(&fs::read(torrent)?).context("the torrent has no info")?;
    Ok(magnet(&info_hash))
}
