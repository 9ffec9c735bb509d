use ccbt_wire::metainfo::build::Builder;
use sha1::{Digest, Sha1};

use super::*;
use crate::source::http::server::{Server, answer};
use crate::{CloseReason, EventKind, Events, MemoryStore, Swarm};

const PIECE: u32 = 32 << 10;

/// Files in a folder, which pieces and blocks run across.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let bytes =
        |length: u32, seed: u32| (0..length).map(|n| ((n * seed) >> 7).to_le_bytes()[0]).collect();
    vec![
        ("large \u{e4}.bin", bytes(200_001, 77)),
        ("empty", Vec::new()),
        ("sub/one", bytes(1, 3)),
        ("sub/small", bytes(5_000, 5)),
        ("z", bytes(70_000, 9)),
    ]
}

fn torrent() -> Metainfo {
    let payload: Vec<u8> = files().into_iter().flat_map(|(_, bytes)| bytes).collect();
    let hashes = payload.chunks(PIECE as usize).map(|piece| Sha1::digest(piece).into());
    let lengths = files().into_iter().map(|(path, bytes)| (path, bytes.len() as u64));
    Metainfo::parse(&Builder::multi("folder", PIECE, lengths).pieces(hashes).encode()).unwrap()
}

/// The part of a file that a request asks for.
fn part(head: &str, change: impl Fn(&mut [u8])) -> Vec<u8> {
    let target = head.split(' ').nth(1).unwrap().to_owned();
    let wanted = |path: &str| {
        let path = path.replace(' ', "%20").replace('\u{e4}', "%C3%A4");
        target == format!("/d/folder/{path}")
    };
    let Some((_, bytes)) = files().into_iter().find(|(path, _)| wanted(path)) else {
        return answer("404 Not Found", "", b"");
    };
    let lower = head.to_ascii_lowercase();
    let range = lower.split("range: bytes=").nth(1).unwrap().split("\r\n").next().unwrap();
    let (first, last) = range.split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let mut bytes = bytes[first..=last].to_vec();
    change(&mut bytes);
    let content = format!("Content-Range: bytes {range}/*\r\nConnection: close\r\n");
    answer("206 Partial Content", &content, &bytes)
}

fn start(server: &Server) -> (Swarm, Events) {
    let torrent = torrent();
    let builder = Swarm::builder(torrent).web_seeds(&[server.url("/d")]);
    builder.start().unwrap()
}

async fn until<T>(events: &mut Events, mut pick: impl FnMut(EventKind) -> Option<T>) -> T {
    loop {
        if let Some(picked) = pick(events.next().await.unwrap().kind) {
            return picked;
        }
    }
}

#[tokio::test]
async fn a_folder_is_downloaded_from_a_web_server_alone() {
    let server = Server::answering(|head| part(head, |_| ())).await;
    let (swarm, mut events) = start(&server);
    let client = until(&mut events, |kind| match kind {
        EventKind::PeerReady { client, .. } => client,
        EventKind::SourceFailed { error, .. } => panic!("{error}"),
        _ => None,
    })
    .await;
    assert!(client.contains("web seed http://"), "{client}");
    until(&mut events, |kind| match kind {
        EventKind::Finished => Some(()),
        EventKind::SourceFailed { error, .. } => panic!("{error}"),
        _ => None,
    })
    .await;
    let remembered = swarm.addresses().await.unwrap();
    assert!(remembered.peers.is_empty(), "a later run would take it for a peer: {remembered:?}");
    swarm.stop().await;
    let heads = server.heads();
    assert!(heads.iter().all(|head| !head.contains("/empty")));
    assert!(heads.len() < 18, "blocks share requests: {} for 17 blocks", heads.len());
}

/// Which URLs failed, and why, until all is there.
async fn failures(urls: &[String]) -> (Vec<(String, String)>, Vec<SocketAddr>) {
    let (swarm, mut events) = Swarm::builder(torrent()).web_seeds(urls).start().unwrap();
    let (mut failed, mut peers) = (Vec::new(), Vec::new());
    until(&mut events, |kind| match kind {
        EventKind::SourceFailed { source, error } => {
            failed.push((source, error));
            None
        }
        EventKind::PeerConnected { peer, .. } => {
            peers.push(peer);
            None
        }
        EventKind::Finished => Some(()),
        _ => None,
    })
    .await;
    swarm.stop().await;
    (failed, peers)
}

#[tokio::test]
async fn a_web_seed_that_fails_gives_way_to_the_next_one_at_its_address() {
    let server = Server::answering(|head| part(head, |_| ())).await;
    let urls = [server.url("/nothere"), server.url("/nowhere"), server.url("/d")];
    let (failed, peers) = failures(&urls).await;
    let error = || "http status 404".to_owned();
    assert_eq!(failed, [(urls[0].clone(), error()), (urls[1].clone(), error())]);
    assert_eq!(peers.len(), 1, "to the swarm they are one peer: {peers:?}");
    let (failed, _) = failures(&[server.url("/d"), server.url("/nothere")]).await;
    assert_eq!(failed, [], "nobody has to ask the second one");
}

#[tokio::test]
async fn what_a_web_seed_began_to_send_the_next_one_sends_to_the_end() {
    // It has the first file alone, and the beginning of it at that.
    let half = |head: &str| {
        let first = head.to_ascii_lowercase().contains("range: bytes=0-");
        let whole = part(&head.replace("/half/", "/d/"), |_| ());
        let cut = if first { whole.len() / 2 } else { 0 };
        whole[..cut].to_vec()
    };
    let answer = move |head: &str| match head.contains("/half/") {
        true => half(head),
        false => part(head, |_| ()),
    };
    let server = Server::answering(answer).await;
    let (failed, peers) = failures(&[server.url("/half"), server.url("/d")]).await;
    assert_eq!((failed.len(), peers.len()), (1, 1), "{failed:?}");
    assert_eq!(failed[0].0, server.url("/half"));
}

#[tokio::test]
async fn a_server_with_other_bytes_is_blamed_and_dropped() {
    let server = Server::answering(|head| part(head, |bytes| bytes[0] ^= 1)).await;
    let (swarm, mut events) = start(&server);
    let reason = until(&mut events, |kind| match kind {
        EventKind::PeerClosed { reason, .. } => Some(reason),
        EventKind::Finished => panic!("it is not what the torrent says"),
        _ => None,
    })
    .await;
    assert!(!matches!(reason, CloseReason::PeerLeft | CloseReason::ClosedByUs), "{reason}");
    swarm.stop().await;
}

#[tokio::test]
async fn what_hinders_a_server_is_told_under_its_url() {
    for (reply, error) in [
        (answer("404 Not Found", "", b""), "http status 404"),
        (answer("200 OK", "", &[7; 400_000]), "the server sends no parts of files"),
        (
            answer("206 Partial Content", "Content-Range: bytes 1-2/3\r\n", b"xx"),
            "the server sends no parts of files",
        ),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let (swarm, mut events) = start(&server);
        let told = until(&mut events, |kind| match kind {
            EventKind::SourceFailed { source, error } => Some((source, error)),
            _ => None,
        })
        .await;
        assert_eq!(told, (server.url("/d"), error.to_owned()));
        swarm.stop().await;
    }
}

#[tokio::test]
async fn no_redirect_leads_to_a_host_on_the_blocklist() {
    let server = Server::start(|_| answer("302 Found", "Location: http://127.0.0.7:1/\r\n", b""));
    let server = server.await;
    let blocklist = Blocklist::parse(b"127.0.0.7").unwrap();
    let builder = Swarm::builder(torrent()).blocklist(Arc::new(blocklist));
    let (swarm, mut events) = builder.web_seeds(&[server.url("/d")]).start().unwrap();
    let error = until(&mut events, |kind| match kind {
        EventKind::SourceFailed { error, .. } => Some(error),
        _ => None,
    })
    .await;
    assert_eq!(error, "refused a redirect to 127.0.0.7, which is on the blocklist");
    swarm.stop().await;
}

#[tokio::test]
async fn a_complete_swarm_asks_nobody_and_other_urls_are_told() {
    let torrent = torrent();
    let mut have = ccbt_wire::Bitfield::new(torrent.piece_count());
    for piece in 0..torrent.piece_count() {
        have.set(piece.into(), true);
    }
    let server = Server::answering(|head| part(head, |_| ())).await;
    let builder = Swarm::builder(torrent.clone()).store(MemoryStore::new(&torrent));
    let (swarm, mut events) = builder.have(have).web_seeds(&[server.url("/d")]).start().unwrap();
    swarm.stop().await;
    until(&mut events, |kind| matches!(kind, EventKind::Stopped).then_some(())).await;
    assert!(server.heads().is_empty());
    let builder = Swarm::builder(torrent).web_seeds(&["ftp://w.example/d"]);
    let (swarm, mut events) = builder.start().unwrap();
    let told = until(&mut events, |kind| match kind {
        EventKind::SourceFailed { error, .. } => Some(error),
        _ => None,
    })
    .await;
    assert!(told.contains("\"ftp\" URLs are not supported"), "{told}");
    swarm.stop().await;
}

#[test]
fn sixteen_web_seeds_are_taken_and_each_of_them_once() {
    let urls: Vec<String> = (0..200).map(|n| format!("http://w.example/{}", n / 2)).collect();
    let seeds = WebSeeds::new(&urls, watch::channel(None).1);
    assert_eq!(seeds.urls.len(), 16);
    assert_eq!(seeds.urls[15], "http://w.example/15");
}

#[tokio::test]
async fn those_of_a_magnet_link_are_asked_once_its_metadata_is_known() {
    let server = Server::answering(|head| part(head, |_| ())).await;
    // It has the metadata, and nothing else.
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let (other, _events) = Swarm::builder(torrent()).listen(listen).start().unwrap();
    let link = format!("magnet:?xt=urn:btih:{}", torrent().info_hash());
    let open = |torrent: &Metainfo| {
        Ok((MemoryStore::new(torrent), ccbt_wire::Bitfield::new(torrent.piece_count())))
    };
    let (swarm, mut events) = Swarm::magnet(link.parse().unwrap(), open)
        .web_seeds(&[server.url("/d")])
        .source(crate::Given::new([other.local_addr().unwrap()]))
        .start()
        .unwrap();
    until(&mut events, |kind| matches!(kind, EventKind::Finished).then_some(())).await;
    swarm.stop().await;
}
