//! Parts of files, over connections that are kept.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, HeaderName, RANGE, USER_AGENT,
};
use hyper::{Request, Response, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::{
    AGENT, Guard, HttpError, MOST_REDIRECTS, PATIENCE, connector, explained, redirect, tls,
};
use crate::Binding;

/// Idle connections that are kept for the next request.
const KEPT: usize = 2;

/// Asks servers for parts of files.
#[derive(Debug, Default)]
pub(in crate::source) struct Ranges {
    binding: Binding,
    guard: Arc<Guard>,
    plain: OnceCell<Client<HttpConnector, Empty<Bytes>>>,
    secure: OnceCell<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>>,
}

/// A part of a file on its way.
#[derive(Debug)]
pub(in crate::source) struct Part {
    body: Incoming,
    /// Bytes that are still to come.
    left: u64,
}

impl Ranges {
    /// On this way into the network, and to no host that the guard does not let through.
    pub(in crate::source) fn through(binding: &Binding, guard: &Arc<Guard>) -> Self {
        Self { binding: binding.clone(), guard: Arc::clone(guard), ..Self::default() }
    }

    /// The `length` bytes of what lies at `uri` from `first` on. Redirects are followed as by
    /// [`fetch`](super::fetch), and so is the patience.
    pub(in crate::source) async fn open(
        &self,
        uri: &Uri,
        first: u64,
        length: u64,
    ) -> Result<Part, HttpError> {
        let mut uri = uri.clone();
        for _ in 0..=MOST_REDIRECTS {
            let response = timeout(PATIENCE, self.send(&uri, first, length)).await;
            let response =
                response.map_err(|_| HttpError::TimedOut { seconds: PATIENCE.as_secs() })??;
            match redirect(&response, &uri)? {
                Some(target) => {
                    // Who dialed has looked at the host where it begins.
                    if target.authority() != uri.authority() {
                        self.guard.check(&target).await?;
                    }
                    uri = target;
                }
                None => {
                    check(&response, first, length)?;
                    return Ok(Part { body: response.into_body(), left: length });
                }
            }
        }
        Err(HttpError::TooManyRedirects { limit: MOST_REDIRECTS })
    }

    async fn send(
        &self,
        uri: &Uri,
        first: u64,
        length: u64,
    ) -> Result<Response<Incoming>, HttpError> {
        let last = first.saturating_add(length).saturating_sub(1);
        let request = Request::get(uri)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT_ENCODING, "identity")
            .header(RANGE, format!("bytes={first}-{last}"))
            .body(Empty::new())
            .map_err(|error| HttpError::of(&error))?;
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(KEPT);
        let response = if uri.scheme_str() == Some("https") {
            let client = async {
                let connector = tls::SYSTEM.connector(connector(&self.binding)).await?;
                Ok::<_, HttpError>(builder.build(connector))
            };
            self.secure.get_or_try_init(|| client).await?.request(request).await
        } else {
            let client = async { builder.build(connector(&self.binding)) };
            self.plain.get_or_init(|| client).await.request(request).await
        };
        response.map_err(|error| explained(&error))
    }
}

impl Part {
    /// The next bytes; `None` at the end of the part.
    pub(in crate::source) async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        while self.left > 0 {
            let frame = timeout(PATIENCE, self.body.frame()).await;
            match frame.map_err(|_| HttpError::TimedOut { seconds: PATIENCE.as_secs() })? {
                None => return Err(HttpError::Failed("the answer ends too early".into())),
                Some(Err(error)) => return Err(HttpError::of(&error)),
                Some(Ok(frame)) => {
                    let mut data = frame.into_data().unwrap_or_default();
                    data.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                    self.left -= data.len() as u64;
                    if !data.is_empty() {
                        return Ok(Some(data));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// Whether the answer is the part that was asked for: a server that knows no ranges sends the whole file,
/// which will do if that was asked for.
fn check(response: &Response<Incoming>, first: u64, length: u64) -> Result<(), HttpError> {
    let header = |name: HeaderName| response.headers().get(name)?.to_str().ok();
    match response.status().as_u16() {
        206 => {
            let range = header(CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
            let bounds = range.and_then(|range| range.split_once('/')?.0.split_once('-'));
            let begin = bounds.and_then(|(begin, _)| begin.trim().parse().ok());
            if begin == Some(first) { Ok(()) } else { Err(HttpError::NoRange) }
        }
        200 => {
            let whole = header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
            if first == 0 && whole == Some(length) { Ok(()) } else { Err(HttpError::NoRange) }
        }
        status => Err(HttpError::Status(status)),
    }
}
