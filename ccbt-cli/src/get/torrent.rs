//! The torrent itself, from a file or a web server.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ccbt_peer::source::http;
use ccbt_peer::wire::Metainfo;
use ccbt_peer::wire::metainfo::MAX_METAINFO_LEN;

use crate::args::Torrent;
use crate::exit::{Exit, Failure};

/// Reads and checks a torrent; an error names where it came from and what is wrong with it.
pub(crate) async fn load(from: &Torrent) -> Result<Metainfo, Failure> {
    match from {
        Torrent::File(path) => {
            let bytes = read(path).map_err(Failure::of(Exit::Refused, path.display()))?;
            Metainfo::parse(&bytes).map_err(Failure::of(Exit::Refused, path.display()))
        }
        Torrent::Url(url) => {
            let bytes =
                http::fetch(url, MAX_METAINFO_LEN).await.map_err(Failure::of(Exit::Failed, url))?;
            Metainfo::parse(&bytes).map_err(Failure::of(Exit::Refused, url))
        }
    }
}

/// The file, or an error before more of it is read than a torrent can have.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_METAINFO_LEN as u64;
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_METAINFO_LEN {
        let problem = format!("no torrent is larger than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}
