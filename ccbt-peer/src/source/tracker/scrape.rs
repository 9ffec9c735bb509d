//! Asking a tracker how large a swarm is (BEP 15, BEP 48).

#[cfg(feature = "http")]
use std::time::Duration;

use ccbt_wire::InfoHash;
use ccbt_wire::tracker::ScrapeCounts;
#[cfg(feature = "http")]
use ccbt_wire::tracker::{ScrapeReply, TrackerError, scrape_request};
#[cfg(feature = "http")]
use tokio::time::timeout;

use super::kind::Tracker;
use crate::source::UrlError;
#[cfg(feature = "http")]
use crate::source::http::{self, HttpError};
#[cfg(feature = "udp")]
use crate::source::udp::UdpError;

/// Longer replies are refused while they are read.
#[cfg(feature = "http")]
const MOST_BYTES: usize = 1 << 20;
/// All of a scrape, redirects included.
#[cfg(feature = "http")]
const PATIENCE: Duration = Duration::from_secs(10);

/// A tracker did not tell how large the swarm is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScrapeError {
    /// It is no URL of a tracker that can be asked.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Its announce URL does not say where it answers scrapes.
    #[cfg(feature = "http")]
    #[error(
        "the tracker has no scrapes: the last part of {url:?} does not begin with \"announce\""
    )]
    NotOffered {
        /// The announce URL.
        url: String,
    },
    /// The request failed.
    #[cfg(feature = "http")]
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The tracker refused, or its reply is none.
    #[cfg(feature = "http")]
    #[error(transparent)]
    Tracker(#[from] TrackerError),
    /// The tracker refused, or did not answer.
    #[cfg(feature = "udp")]
    #[error(transparent)]
    Udp(#[from] UdpError),
    /// It answered, but knows nothing of this torrent.
    #[error("the tracker does not know the torrent")]
    NotListed,
}

/// Asks a tracker how many seeds and leechers it knows, without joining them.
///
/// `announce` is its announce URL. Over HTTP (BEP 48) that for scrapes follows from it, and the reply may
/// take 10 s, redirect 5 times, and be 1 MiB long. Over UDP (BEP 15) the reply may take 15 s.
///
/// ```no_run
/// # use ccbt_peer::source::{ScrapeError, scrape};
/// # async fn example(info_hash: ccbt_peer::wire::InfoHash) -> Result<(), ScrapeError> {
/// let counts = scrape("https://t.example/announce", info_hash).await?;
/// if let (Some(seeds), Some(leechers)) = (counts.complete, counts.incomplete) {
///     println!("{seeds} seeds, {leechers} leechers");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the tracker offers no scrapes, cannot be reached, refuses, or does not know the torrent.
pub async fn scrape(announce: &str, info_hash: InfoHash) -> Result<ScrapeCounts, ScrapeError> {
    match Tracker::new(announce)? {
        #[cfg(feature = "http")]
        Tracker::Http(announce) => over_http(announce, info_hash).await,
        #[cfg(feature = "udp")]
        Tracker::Udp(tracker) => tracker.scrape(info_hash).await?.ok_or(ScrapeError::NotListed),
    }
}

#[cfg(feature = "http")]
async fn over_http(announce: String, info_hash: InfoHash) -> Result<ScrapeCounts, ScrapeError> {
    let Some(url) = scrape_request(&announce, [info_hash]) else {
        return Err(ScrapeError::NotOffered { url: announce });
    };
    let answer = timeout(PATIENCE, http::get(&url, MOST_BYTES)).await;
    let answer = answer.map_err(|_| HttpError::TimedOut { seconds: PATIENCE.as_secs() })??;
    let reply: Result<ScrapeReply, ScrapeError> = answer.of_tracker(ScrapeReply::parse);
    reply?.files.get(&info_hash).copied().ok_or(ScrapeError::NotListed)
}

#[cfg(all(feature = "http", feature = "udp"))]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::http::server::{Server, answer};

    const HASH: InfoHash = InfoHash([b'a'; 20]);

    #[tokio::test]
    async fn a_tracker_that_is_asked_for_one_torrent_tells_its_counts() {
        let server = Server::start(|_| {
            let counts = "d8:completei5e10:downloadedi50e10:incompletei10ee";
            let other = "d8:completei1e10:downloadedi1e10:incompletei1ee";
            let files = format!("20:{}{counts}20:{}{other}", "a".repeat(20), "b".repeat(20));
            answer("200 OK", "", format!("d5:filesd{files}ee").as_bytes())
        })
        .await;
        let counts = scrape(&format!(" {}\n", server.url("/announce?pass=x")), HASH).await.unwrap();
        assert_eq!(
            (counts.complete, counts.downloaded, counts.incomplete),
            (Some(5), Some(50), Some(10))
        );
        let head = server.heads().remove(0);
        let target = format!("GET /scrape?pass=x&info_hash={} HTTP/1.1\r\n", "a".repeat(20));
        assert!(head.starts_with(&target), "{head}");
    }

    #[tokio::test]
    async fn what_hinders_a_scrape_is_told_apart() {
        let server = Server::start(|target| match target.split('?').next() {
            Some("/scrape.empty") => answer("200 OK", "", b"d5:filesdee"),
            Some("/scrape.full") => answer("200 OK", "", b"d14:failure reason4:fulle"),
            Some("/scrape.bad") => answer("400 Bad Request", "", b"d14:failure reason3:bade"),
            Some("/scrape.html") => answer("200 OK", "", b"<html>"),
            Some("/scrape.long") => answer("200 OK", "", &vec![b'0'; MOST_BYTES + 1]),
            _ => answer("404 Not Found", "", b"nothing here"),
        })
        .await;
        for (announce, error) in [
            ("/announce.empty", "the tracker does not know the torrent"),
            ("/announce.full", "the tracker refused: full"),
            ("/announce.bad", "the tracker refused: bad"),
            ("/announce", "http status 404"),
            ("/announce.long", "the answer is longer than 1048576 bytes"),
        ] {
            let result = scrape(&server.url(announce), HASH).await;
            assert_eq!(result.unwrap_err().to_string(), error, "{announce}");
        }
        let html = scrape(&server.url("/announce.html"), HASH).await;
        assert!(matches!(html, Err(ScrapeError::Tracker(TrackerError::Bencode(_)))), "{html:?}");
    }

    #[tokio::test]
    async fn who_offers_no_scrapes_is_not_asked() {
        let server = Server::start(|_| answer("200 OK", "", b"d5:filesdee")).await;
        let url = server.url("/a");
        assert_eq!(scrape(&url, HASH).await, Err(ScrapeError::NotOffered { url }));
        let other = scrape("wss://t.example:80/announce", HASH).await;
        assert!(matches!(other, Err(ScrapeError::Url(UrlError::Scheme { .. }))), "{other:?}");
        assert_eq!(server.heads(), [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tracker_that_says_nothing_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/announce", listener.local_addr().unwrap());
        let error = HttpError::TimedOut { seconds: 10 };
        assert_eq!(scrape(&url, HASH).await, Err(error.into()));
    }
}
