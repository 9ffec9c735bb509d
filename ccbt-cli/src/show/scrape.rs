//! What trackers say about the swarm's size (BEP 15, 48).

use ccbt_peer::source;
use ccbt_peer::wire::InfoHash;
use ccbt_peer::wire::tracker::ScrapeCounts;
use serde::Serialize;
use tokio::task::JoinSet;

use super::about::About;
use crate::report::units;

/// Trackers that are asked at most.
const TRACKERS: usize = 20;
/// A tracker's answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Answer {
    pub(super) tracker: String,
    /// Seeds.
    pub(super) complete: Option<u32>,
    /// Leechers.
    pub(super) incomplete: Option<u32>,
    /// Downloads that ever became complete.
    pub(super) downloaded: Option<u32>,
    /// Why there are no numbers.
    pub(super) error: Option<String>,
}

/// Asks all trackers at once; the answers come in the order of the torrent.
pub(super) async fn ask(about: &About) -> Vec<Answer> {
    let mut asked = JoinSet::new();
    let trackers = about.trackers.iter().flatten().take(TRACKERS).cloned();
    for (number, tracker) in trackers.enumerate() {
        let hash = about.info_hash;
        asked.spawn(async move {
            let reply = counts(&tracker, hash).await;
            (number, Answer::of(tracker, reply))
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_unstable_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

async fn counts(tracker: &str, hash: Option<InfoHash>) -> Result<ScrapeCounts, String> {
    let hash = hash.ok_or("a magnet link for version 2 only cannot be asked for")?;
    source::scrape(tracker, hash).await.map_err(|error| error.to_string())
}

impl Answer {
    fn of(tracker: String, reply: Result<ScrapeCounts, String>) -> Self {
        let (counts, error) = match reply {
            Ok(counts) => (counts, None),
            Err(error) => (ScrapeCounts::default(), Some(error)),
        };
        let ScrapeCounts { complete, incomplete, downloaded, .. } = counts;
        Self { tracker, complete, incomplete, downloaded, error }
    }

    /// Whether the tracker knows the swarm.
    pub(super) fn is_count(&self) -> bool {
        self.error.is_none()
    }

    pub(super) fn words(&self) -> String {
        let tracker = &self.tracker;
        if let Some(error) = &self.error {
            return format!("{tracker}: {error}");
        }
        let counts = [
            (self.complete, "seed", "seeds"),
            (self.incomplete, "leecher", "leechers"),
            (self.downloaded, "download", "downloads"),
        ];
        let told: Vec<String> = counts
            .iter()
            .filter_map(|(number, one, many)| {
                // On every system that has trackers, 32 bits fit.
                Some(units::count(number.and_then(|n| usize::try_from(n).ok())?, one, many))
            })
            .collect();
        let told = if told.is_empty() { "no numbers".to_owned() } else { told.join(", ") };
        format!("{tracker}: {told}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_in_words() {
        let words = |complete, incomplete, downloaded| {
            let mut counts = ScrapeCounts::default();
            (counts.complete, counts.incomplete) = (complete, incomplete);
            counts.downloaded = downloaded;
            Answer::of("t".to_owned(), Ok(counts)).words()
        };
        assert_eq!(words(Some(1), Some(2), Some(3)), "t: 1 seed, 2 leechers, 3 downloads");
        assert_eq!(words(Some(0), None, None), "t: 0 seeds");
        assert_eq!(words(None, None, None), "t: no numbers");
        assert_eq!(Answer::of("t".to_owned(), Err("closed".to_owned())).words(), "t: closed");
    }

    #[tokio::test]
    async fn a_tracker_that_cannot_be_scraped_says_why_and_is_not_asked() {
        let about = About {
            info_hash: Some(InfoHash([0; 20])),
            trackers: vec![vec!["wss://a:1".to_owned(), "http://a/b".to_owned()]],
            ..About::default()
        };
        let answers = ask(&about).await;
        assert_eq!(answers.len(), 2);
        for answer in answers {
            assert!(!answer.is_count(), "{answer:?}");
        }
    }
}
