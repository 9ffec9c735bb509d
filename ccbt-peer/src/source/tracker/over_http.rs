//! An HTTP answer to an announce, and what it means.

use std::time::Duration;

use ccbt_wire::tracker::AnnounceReply;
use tokio::time::timeout;

use super::schedule::AnnounceError;
use crate::source::http::{Answer, HttpError};

/// Longer replies are refused while they are read.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// All of one announce, redirects included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for an answer, and reads it as a reply to an announce.
pub(super) async fn read(
    answer: impl Future<Output = Result<Answer, HttpError>>,
) -> Result<AnnounceReply, AnnounceError> {
    let answer = timeout(PATIENCE, answer).await;
    let answer = answer.map_err(|_| HttpError::TimedOut { seconds: PATIENCE.as_secs() })??;
    answer.of_tracker(AnnounceReply::parse)
}
