//! One announce: a request, and what its answer means.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ccbt_wire::tracker::AnnounceReply;
use tokio::time::timeout;

use super::schedule::AnnounceError;
use crate::source::SourceContext;
use crate::source::http::{self, Answer, HttpError};

/// Longer replies are refused while they are read.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// All of one announce, redirects included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks `get` for a URL, and reads the answer as a reply to an announce.
pub(super) async fn ask<G, F>(get: &G, url: String) -> Result<AnnounceReply, AnnounceError>
where
    G: Fn(String) -> F,
    F: Future<Output = Result<Answer, HttpError>>,
{
    let answer = timeout(PATIENCE, get(url)).await;
    let answer = answer.map_err(|_| HttpError::TimedOut { seconds: PATIENCE.as_secs() })??;
    answer.of_tracker(AnnounceReply::parse)
}

/// Gets what lies at a URL, over the way into the network that the swarm has.
pub(super) fn over_http(
    context: &SourceContext,
) -> impl Fn(String) -> BoxFuture<Result<Answer, HttpError>> + Send + Sync + 'static {
    let binding = Arc::new(context.binding().clone());
    move |url| {
        let binding = Arc::clone(&binding);
        Box::pin(async move { http::get_through(&binding, &url, MOST_BYTES).await })
    }
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
