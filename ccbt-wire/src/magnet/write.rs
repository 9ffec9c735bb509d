//! Writing a link.

use super::Magnet;
use crate::percent;
use std::fmt;

impl fmt::Display for Magnet {
    /// The canonical link: fixed order, `%XX` for all that is not unreserved in a URL.
    ///
    /// Only colons, commas and brackets of hashes, peers and files stand as they are: other clients read those
    /// values without decoding them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("magnet:")?;
        let mut joint = '?';
        let mut parameter = |key: &str, value: fmt::Arguments<'_>| {
            write!(f, "{joint}{key}={value}")?;
            joint = '&';
            Ok(())
        };
        if let Some(hash) = self.info_hash {
            parameter("xt", format_args!("urn:btih:{hash}"))?;
        }
        if let Some(hash) = self.info_hash_v2 {
            let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            parameter("xt", format_args!("urn:btmh:1220{digits}"))?;
        }
        if let Some(name) = &self.name {
            parameter("dn", format_args!("{}", percent::encode(name)))?;
        }
        if let Some(length) = self.length {
            parameter("xl", format_args!("{length}"))?;
        }
        for url in &self.trackers {
            parameter("tr", format_args!("{}", percent::encode(url)))?;
        }
        for url in &self.web_seeds {
            parameter("ws", format_args!("{}", percent::encode(url)))?;
        }
        for peer in &self.peers {
            parameter("x.pe", format_args!("{peer}"))?;
        }
        if let Some(files) = &self.select_only {
            parameter("so", format_args!("{files}"))?;
        }
        Ok(())
    }
}

/// Bytes of a URL as a parameter: `&tr=` or `&ws=` and the value.
pub(super) fn url_len(url: &str) -> usize {
    4 + percent::encode(url).len()
}
