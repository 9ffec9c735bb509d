//! The torrent itself, from a file or a web server.

use ccbt_peer::Binding;
use ccbt_peer::source::http;
use ccbt_peer::wire::Metainfo;
use ccbt_peer::wire::metainfo::MAX_METAINFO_LEN;

use crate::args::Torrent;
use crate::bounded;
use crate::exit::{Exit, Failure};

/// Reads and checks a torrent; an error names where it came from and what is wrong with it.
pub(crate) async fn load(from: &Torrent) -> Result<Metainfo, Failure> {
    load_through(&Binding::default(), from).await
}

/// The same, over the way into the network that `binding` says.
pub(crate) async fn load_through(binding: &Binding, from: &Torrent) -> Result<Metainfo, Failure> {
    match from {
        Torrent::File(path) => {
            let bytes = bounded::read(path, MAX_METAINFO_LEN, "torrent");
            let bytes = bytes.map_err(Failure::of(Exit::Refused, path.display()))?;
            Metainfo::parse(&bytes).map_err(Failure::of(Exit::Refused, path.display()))
        }
        Torrent::Url(url) => {
            let bytes = http::fetch_through(binding, url, MAX_METAINFO_LEN).await;
            let bytes = bytes.map_err(Failure::of(Exit::Failed, url))?;
            Metainfo::parse(&bytes).map_err(Failure::of(Exit::Refused, url))
        }
    }
}
