//! Trackers of every kind that we can ask, and how each is asked.

use ccbt_wire::tracker::{Announce, AnnounceReply};

#[cfg(feature = "http")]
use super::over_http;
use super::schedule::AnnounceError;
use crate::Binding;
#[cfg(feature = "http")]
use crate::source::http;
#[cfg(feature = "udp")]
use crate::source::udp::UdpTracker;
use crate::source::url_error::{UrlError, scheme};

/// A tracker, and the way to ask it.
#[derive(Clone, Debug)]
pub(super) enum Tracker {
    #[cfg(feature = "http")]
    Http(String),
    #[cfg(feature = "udp")]
    Udp(UdpTracker),
}

/// What URLs of trackers may begin with.
const KNOWN: &str = match (cfg!(feature = "http"), cfg!(feature = "udp")) {
    (true, true) => "http, https and udp",
    (true, false) => "http and https",
    _ => "udp",
};

impl Tracker {
    /// Reads its announce URL.
    pub(super) fn new(url: &str) -> Result<Self, UrlError> {
        let url = url.trim();
        let Some(scheme) = scheme(url) else {
            return Err(UrlError::malformed(
                url,
                "it does not begin with a scheme such as http://",
            ));
        };
        #[cfg(feature = "http")]
        if http::is_http(scheme) {
            return http::parse(url).map(|_| Self::Http(url.to_owned()));
        }
        #[cfg(feature = "udp")]
        if UdpTracker::takes(scheme) {
            return UdpTracker::new(url).map(Self::Udp);
        }
        Err(UrlError::Scheme { scheme: scheme.into(), known: KNOWN })
    }

    pub(super) fn url(&self) -> &str {
        match self {
            #[cfg(feature = "http")]
            Self::Http(url) => url,
            #[cfg(feature = "udp")]
            Self::Udp(tracker) => tracker.url(),
        }
    }

    /// Announces over the network, on the way of `binding`.
    pub(super) async fn announce(
        self,
        binding: Binding,
        announce: Announce,
    ) -> Result<AnnounceReply, AnnounceError> {
        match self {
            #[cfg(feature = "http")]
            Self::Http(url) => {
                let url = announce.url(&url);
                over_http::read(http::get_through(&binding, &url, over_http::MOST_BYTES)).await
            }
            #[cfg(feature = "udp")]
            Self::Udp(tracker) => Ok(tracker.through(binding).announce(announce).await?),
        }
    }
}

#[cfg(all(feature = "http", feature = "udp"))]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_how_its_tracker_is_asked() {
        for (url, is_udp) in [
            ("http://t.example/a", false),
            ("HTTPS://t.example/a", false),
            (" udp://t.example:80/a ", true),
        ] {
            let tracker = Tracker::new(url).unwrap();
            assert_eq!(matches!(tracker, Tracker::Udp(_)), is_udp, "{url}");
            assert_eq!(tracker.url(), url.trim());
        }
        for (url, error) in [
            ("wss://t.example", "\"wss\" URLs are not supported, only http, https and udp"),
            ("udp://t.example", "\"udp://t.example\" is no URL: it names no port"),
            ("t", "\"t\" is no URL: it does not begin with a scheme such as http://"),
        ] {
            assert_eq!(Tracker::new(url).unwrap_err().to_string(), error);
        }
    }
}
