//! Magnet links: a torrent's name in one line (BEP 9, 52 and 53).

mod error;
mod parse;
mod peer;
mod selection;
#[cfg(test)]
mod tests;
mod write;

use crate::{InfoHash, Metainfo};

pub use error::MagnetError;
pub use peer::{ParsePeerAddressError, PeerAddress};
pub use selection::{FileSelection, FileSelectionError};

/// Longest link, in bytes: 64 KiB.
pub const MAX_MAGNET_LEN: usize = 64 << 10;
/// Most parameters of a link, unknown ones included.
pub const MAX_PARAMETERS: usize = 1000;

/// What a magnet link says.
///
/// Parsed from, and shown as, the link. What parsed has at least one of the two hashes; with both it names a
/// torrent for both versions of the protocol. What says which content is meant (`xt`, `so`) is read or the link
/// is refused; a hint that cannot be used (`dn`, `xl`, `tr`, `ws`, `x.pe`) counts as absent, and so does what
/// has no value or is unknown. Of what a torrent has only once the first counts.
///
/// The link that is shown is canonical, and of what parsed it parses into an equal value.
///
/// ```
/// use ccbt_wire::Magnet;
///
/// let link = "magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6&dn=some+name\
///             &tr=http%3a%2f%2ft.example%2fannounce&x.pe=10.0.0.1:6881&so=0,4-6,5";
/// let magnet: Magnet = link.parse()?;
/// assert_eq!(magnet.name.as_deref(), Some("some name"));
/// assert_eq!(magnet.trackers, ["http://t.example/announce"]);
/// assert!(magnet.select_only.as_ref().is_some_and(|files| files.contains(5)));
/// assert_eq!(
///     magnet.to_string(),
///     "magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6&dn=some%20name\
///      &tr=http%3A%2F%2Ft.example%2Fannounce&x.pe=10.0.0.1:6881&so=0,4-6"
/// );
/// # Ok::<(), ccbt_wire::MagnetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Magnet {
    /// The swarm of version 1 (`xt=urn:btih:`, 40 hexadecimal or 32 base32 digits).
    pub info_hash: Option<InfoHash>,
    /// SHA-256 over the `info` dictionary of version 2 (`xt=urn:btmh:1220`, 64 hexadecimal digits; BEP 52).
    pub info_hash_v2: Option<[u8; 32]>,
    /// A name to show until the metainfo is known (`dn`), printable. It is no safe path.
    pub name: Option<String>,
    /// Bytes of payload, as the author says (`xl`).
    pub length: Option<u64>,
    /// Tracker URLs (`tr`, or `tr.1`, `tr.2` and so on), each a tier of its own.
    pub trackers: Vec<String>,
    /// Web seeds (`ws`, BEP 19).
    pub web_seeds: Vec<String>,
    /// Peers to begin with (`x.pe`).
    pub peers: Vec<PeerAddress>,
    /// The files that shall be downloaded (`so`, BEP 53); `None`: all.
    pub select_only: Option<FileSelection>,
}

impl Magnet {
    /// A link with nothing but the hash.
    pub fn new(info_hash: InfoHash) -> Self {
        Self { info_hash: Some(info_hash), ..Self::default() }
    }

    /// The link for a metainfo file: hash, name, length, trackers and web seeds.
    ///
    /// URLs that do not fit into [`MAX_MAGNET_LEN`] are left out, so the link always parses.
    ///
    /// ```
    /// use ccbt_wire::metainfo::build;
    /// use ccbt_wire::{Magnet, Metainfo};
    ///
    /// let bytes = build::single_file("hello.txt", 16 * 1024, b"hello", None);
    /// assert_eq!(
    ///     Magnet::of(&Metainfo::parse(&bytes)?).to_string(),
    ///     "magnet:?xt=urn:btih:0eb2d544ef0c9ae3c0fbba90a71cd742a44aa81d&dn=hello.txt&xl=5"
    /// );
    /// # Ok::<(), ccbt_wire::MetainfoError>(())
    /// ```
    pub fn of(metainfo: &Metainfo) -> Self {
        let mut magnet = Self {
            name: parse::name(metainfo.name().as_bytes()),
            length: Some(metainfo.total_len()),
            ..Self::new(metainfo.info_hash())
        };
        let mut room = MAX_MAGNET_LEN - magnet.to_string().len();
        let mut fits = |url: &&String| {
            let left = room.checked_sub(write::url_len(url));
            room = left.unwrap_or(room);
            left.is_some()
        };
        for url in metainfo.trackers().iter().flatten().filter(&mut fits) {
            if !magnet.trackers.contains(url) {
                magnet.trackers.push(url.clone());
            }
        }
        magnet.web_seeds = metainfo.url_list().iter().filter(&mut fits).cloned().collect();
        magnet
    }
}
