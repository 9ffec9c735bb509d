//! The torrent itself, from a file, a web server, or what an earlier run has learnt of a magnet link.

use ccbt_peer::Binding;
use ccbt_peer::source::http;
use ccbt_peer::wire::magnet::FileSelection;
use ccbt_peer::wire::metainfo::MAX_METAINFO_LEN;
use ccbt_peer::wire::{Magnet, Metainfo};

use crate::args::Torrent;
use crate::bounded;
use crate::exit::{Exit, Failure};
use crate::report::Report;
use crate::state::Shelf;

/// What a person's word for a torrent comes to.
pub(crate) enum Lead {
    Known(Metainfo),
    /// The metadata is to be fetched.
    Unknown(Box<Magnet>),
}

/// Says what is waited for, if that may take a while.
pub(super) fn announce(from: &Torrent, report: &mut Report) {
    if let Torrent::Url(url) = from {
        report.say(&format!("fetching {url}"));
    }
}

/// Reads and checks a torrent, over the way into the network that `binding` says; an error names where it came from and what is wrong with it.
pub(crate) async fn follow(
    binding: &Binding,
    from: &Torrent,
    shelf: &Shelf,
) -> Result<Lead, Failure> {
    match from {
        Torrent::File(path) => {
            let bytes = bounded::read(path, MAX_METAINFO_LEN, "torrent");
            let bytes = bytes.map_err(Failure::of(Exit::Refused, path.display()))?;
            let metainfo = Metainfo::parse(&bytes);
            metainfo.map(Lead::Known).map_err(Failure::of(Exit::Refused, path.display()))
        }
        Torrent::Url(url) => {
            let bytes = http::fetch_through(binding, url, MAX_METAINFO_LEN).await;
            let bytes = bytes.map_err(Failure::of(Exit::Failed, url))?;
            Metainfo::parse(&bytes).map(Lead::Known).map_err(Failure::of(Exit::Refused, url))
        }
        Torrent::Magnet(magnet) => {
            if magnet.info_hash.is_none() {
                return Err(Failure::new(
                    Exit::Refused,
                    "the magnet link has no info hash of version 1 (xt=urn:btih:)",
                ));
            }
            let known = shelf.recall(magnet).map(Lead::Known);
            Ok(known.unwrap_or_else(|| Lead::Unknown(magnet.clone())))
        }
    }
}

/// The same where nobody is there to be asked for metadata.
pub(crate) async fn load(
    binding: &Binding,
    from: &Torrent,
    shelf: &Shelf,
) -> Result<Metainfo, Failure> {
    match follow(binding, from, shelf).await? {
        Lead::Known(metainfo) => Ok(metainfo),
        Lead::Unknown(magnet) => Err(Failure::new(
            Exit::Refused,
            format_args!(
                "{}: its metadata is not known here; ccbt show fetches it",
                title(&magnet)
            ),
        )),
    }
}

/// Peers that the link names, as `HOST:PORT`.
pub(crate) fn peers(from: &Torrent) -> Vec<String> {
    match from {
        Torrent::Magnet(magnet) => magnet.peers.iter().map(ToString::to_string).collect(),
        Torrent::File(_) | Torrent::Url(_) => Vec::new(),
    }
}

/// The files that the link asks for (BEP 53); `None` are all.
pub(crate) fn only(from: &Torrent) -> Option<&FileSelection> {
    match from {
        Torrent::Magnet(magnet) => magnet.select_only.as_ref(),
        Torrent::File(_) | Torrent::Url(_) => None,
    }
}

/// What a person would call it.
pub(crate) fn title(magnet: &Magnet) -> String {
    let hash = || magnet.info_hash.map_or_else(|| magnet.to_string(), |hash| hash.to_string());
    magnet.name.clone().unwrap_or_else(hash)
}
