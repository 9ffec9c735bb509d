//! Peers in the local network (BEP 14), in a network of the scenario's own.

use anyhow::{Result, ensure};

use super::Scenario;
use super::clients;
use super::download::{Download, Get};
use super::namespace::Namespace;
use super::payload::{Maker, Payload};
use super::place::{Place, free_port};
use super::tools::Tool;

pub(super) fn scenarios() -> Vec<Scenario> {
    let needs = [Tool::Libtorrent, Tool::Namespaces];
    vec![
        Scenario::new("local/we-hear-the-seed", we_hear).needing(needs),
        Scenario::new("local/the-seed-hears-us", it_hears).needing(needs),
    ]
}

/// We are there first: what the seed says when it comes is all that brings us together.
fn we_hear(place: &Place) -> Result<()> {
    let (payload, torrent) = torrent(place)?;
    let network = Namespace::new(place)?;
    // It announces itself now, to nobody, and then not for a minute.
    let download = Get::new("get", &torrent).in_local_network(&network).start(place)?;
    place.wait_for("ccbt get to start", || Ok(has(&download, "started", |_| true)))?;
    let address = (Namespace::host(2), free_port()?).into();
    let seed = clients::libtorrent_within(place, &torrent, &payload.folder, address, &network)?;
    seed.wait_until_complete(place)?;
    place.wait_for("the seed's announce", || {
        Ok(has(&download, "source_replied", |event| event.text("source") == "lsd"))
    })?;
    download.finish()?;
    payload.compare(&download.output, true)
}

/// The seed is there first, and dials who announces itself.
fn it_hears(place: &Place) -> Result<()> {
    let (payload, torrent) = torrent(place)?;
    let network = Namespace::new(place)?;
    let address = (Namespace::host(2), free_port()?).into();
    let seed = clients::libtorrent_within(place, &torrent, &payload.folder, address, &network)?;
    seed.wait_until_complete(place)?;
    let ours = (Namespace::host(1), free_port()?).into();
    let get = Get::new("get", &torrent).listen(ours).in_local_network(&network);
    let download = get.start(place)?;
    download.finish()?;
    let incoming = |event: &super::events::Event| event.text("source") == "incoming";
    ensure!(has(&download, "peer_connected", incoming), "it was not the seed that dialed");
    payload.compare(&download.output, true)
}

fn torrent(place: &Place) -> Result<(Payload, std::path::PathBuf)> {
    let payload = Payload::single(place)?;
    let torrent = Maker::Ccbt.make(place, &payload, "http://127.0.0.1:9/announce")?;
    Ok((payload, torrent))
}

fn has(download: &Download, name: &str, is_it: impl Fn(&super::events::Event) -> bool) -> bool {
    // There is no log before it starts.
    download.events().unwrap_or_default().iter().any(|event| event.name == name && is_it(event))
}
