//! A private torrent (BEP 27): not a datagram of the DHT or to the local network, no word of peers to peers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Scenario;
use super::clients;
use super::download::Get;
use super::namespace::Namespace;
use super::payload::{Maker, Payload};
use super::peers::Peer;
use super::place::{Place, free_port};
use super::tools::Tool;
use super::torrent::{BLOCK, Content};
use super::wire::Message;

/// When a peer hears of others for the first time is over by then.
const PEX: Duration = Duration::from_secs(66);
/// Under this id the scripted peer wants to be told of peers.
const ITS_PEX: u8 = 9;
/// Our id of it, as the handshake of a torrent that is not private says.
const OUR_PEX: u8 = 2;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("private/no-datagram", silent).needing([Tool::Libtorrent, Tool::Namespaces]),
        Scenario::new("private/no-word-of-peers", discreet).waiting(100),
    ]
}

/// With every way to find peers switched on, a private torrent sends no datagram at all; without the mark the
/// same command sends some, so that the count is one.
fn silent(place: &Place) -> Result<()> {
    let payload = Payload::single(place)?;
    let network = Namespace::new(place)?;
    for private in [true, false] {
        let options: &[&str] = if private { &["--private"] } else { &["--force"] };
        let announce = "http://10.77.0.2:9/announce";
        let torrent = Maker::Ccbt.make_with(place, &payload, announce, options)?;
        let address = (Namespace::host(2), free_port()?).into();
        let seed = clients::libtorrent_within(place, &torrent, &payload.folder, address, &network)?;
        seed.wait_until_complete(place)?;
        let before = network.datagrams()?;
        let name = if private { "private" } else { "public" };
        let get = Get::new(name, &torrent).peers([address]).with_dht().with_pex();
        let get = get.option("--dht-bootstrap", "10.77.0.2:6881");
        let get = get.listen((Namespace::host(1), free_port()?).into());
        let download = get.in_local_network(&network).start(place)?;
        download.finish()?;
        payload.compare(&download.output, true)?;
        let sent = network.datagrams()? - before;
        ensure!(private == (sent == 0), "{name}: {sent} datagrams");
    }
    Ok(())
}

/// Of two peers one asks to be told of the other, and tells of a third itself. Nothing of this happens if the
/// torrent is private, and all of it otherwise.
fn discreet(place: &Place) -> Result<()> {
    let watched = [(true, 1), (false, 11)].map(|(private, host)| -> Result<_> {
        let length = 4 * BLOCK;
        let content = if private {
            Content::private(place, length, BLOCK)?
        } else {
            Content::new(place, length, BLOCK)?
        };
        let third = mute(place, host, &content)?;
        let other = mute(place, host + 1, &content)?;
        let gossip = gossip(place, host + 2, &content, &third)?;
        let name = if private { "private" } else { "public" };
        let get = Get::new(name, &content.torrent).with_pex();
        let get = get.peers([other.address, gossip.address]).start(place)?;
        Ok((private, get, [third, other, gossip]))
    });
    for watched in watched {
        let (private, get, [third, _other, gossip]) = watched?;
        place.wait_until(get.started + PEX, || get.ensure_running())?;
        let visit = gossip.first_visit()?;
        let told = visit.first_heard(|message| {
            matches!(message, Message::Other(20, payload) if payload.first() == Some(&ITS_PEX))
        });
        ensure!(told.is_none() == private, "private: {private}, told of peers: {told:?}");
        let offers = visit.first_heard(|message| match message {
            Message::Other(20, hello) => hello.windows(6).any(|name| name == b"ut_pex"),
            _ => false,
        });
        ensure!(offers.is_none() == private, "private: {private}, ut_pex offered: {offers:?}");
        let dials = third.dials().len();
        ensure!((dials == 0) == private, "private: {private}, the third was dialed {dials} times");
        get.interrupt()?;
    }
    Ok(())
}

/// Has every piece, and gives none.
fn mute(place: &Place, host: u8, content: &Arc<Content>) -> Result<Peer> {
    Peer::talkative(place.host(host), content, |link| {
        link.generous = false;
        link.announce(|_| true)?;
        link.serve()
    })
}

/// The same, and it tells of a third peer at once.
fn gossip(place: &Place, host: u8, content: &Arc<Content>, third: &Peer) -> Result<Peer> {
    let (ip, port) = (third.address.ip(), third.address.port());
    let octets = match ip {
        std::net::IpAddr::V4(ip) => ip.octets(),
        std::net::IpAddr::V6(_) => anyhow::bail!("{ip} is no address of IPv4"),
    };
    let compact = [octets.as_slice(), &port.to_be_bytes()].concat();
    let news = [&[OUR_PEX], b"d5:added6:".as_slice(), &compact, b"7:added.f1:\0e"].concat();
    let hello = [&[0], format!("d1:md6:ut_pexi{ITS_PEX}eee").as_bytes()].concat();
    Peer::talkative(place.host(host), content, move |link| {
        link.generous = false;
        link.announce(|_| true)?;
        link.say(Message::Other(20, hello.clone()))?;
        link.say(Message::Other(20, news.clone()))?;
        link.serve()
    })
}
