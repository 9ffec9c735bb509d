//! A crowd of useless peers must not keep the one good peer out.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::Scenario;
use super::assertions::same_bytes;
use super::download::Get;
use super::late::in_time;
use super::peers::Peer;
use super::place::Place;
use super::torrent::{BLOCK, Content};

/// So many peers that never say a word, and as many that have nothing.
const OF_EACH: u8 = 100;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("crowd/default-limit", |place| crowd(place, &[], Duration::from_secs(2))),
        Scenario::new("crowd/hundred-slots", |place| {
            crowd(place, &["--max-peers", "100"], Duration::from_secs(8))
        }),
    ]
}

/// With the crowd in front of it a seed is found at most `price` later than alone.
fn crowd(place: &Place, options: &[&str], price: Duration) -> Result<()> {
    let content = Content::new(place, 64 * 4 * BLOCK + 5, 4 * BLOCK)?;
    let alone = {
        let seed = seed(place, &content)?;
        let download = Get::new("alone", &content.torrent).peers([seed.address]).start(place)?;
        let took = download.finish()?;
        same_bytes(&download, &content)?;
        took
    };
    let mute = (0..OF_EACH)
        .map(|number| Peer::listening(place.host(2 + number), &content, |link| link.serve()));
    let empty = (0..OF_EACH).map(|number| {
        Peer::listening(place.host(2 + OF_EACH + number), &content, |link| {
            link.announce(|_| false)?;
            link.serve()
        })
    });
    let useless: Vec<Peer> = mute.chain(empty).collect::<Result<_>>()?;
    let seed = seed(place, &content)?;
    let mut get =
        Get::new("crowded", &content.torrent).peers(useless.iter().map(|peer| peer.address));
    get = get.peers([seed.address]);
    for option in options.chunks_exact(2) {
        get = get.option(option[0], option[1]);
    }
    let download = get.start(place)?;
    let crowded = download.finish()?;
    same_bytes(&download, &content)?;
    println!("     alone {alone:.2?}, in the crowd {crowded:.2?} {options:?}");
    in_time!(
        crowded <= alone + price,
        "{crowded:.2?} in the crowd, {alone:.2?} alone: more than {price:?} later"
    );
    Ok(())
}

fn seed(place: &Place, content: &Arc<Content>) -> Result<Peer> {
    Peer::listening(place.host(1), content, |link| {
        link.announce(|_| true)?;
        link.serve()
    })
}
