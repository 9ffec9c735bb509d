//! A small HTTP client: one GET at a time, over HTTP/1.1, with bounds on everything.

mod body;
mod error;
#[cfg(feature = "webseed")]
mod guard;
mod gzip;
#[cfg(feature = "webseed")]
mod range;
mod tls;
mod url;

#[cfg(test)]
pub(super) mod server;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use ccbt_wire::tracker::TrackerError;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, LOCATION, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use self::tls::Tls;
use crate::Binding;

pub use self::error::HttpError;
#[cfg(feature = "webseed")]
pub(super) use self::guard::{Guard, host};
#[cfg(feature = "webseed")]
pub(super) use self::range::Ranges;
pub(super) use self::url::{is_http, parse, resolve};

const AGENT: &str = concat!("ccbt/", env!("CARGO_PKG_VERSION"));
const MOST_REDIRECTS: u32 = 5;
/// A server may take so long to begin its answer, and to send the next part of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// All of a fetch, redirects included.
const WHOLE: Duration = Duration::from_secs(120);

/// Fetches what lies at an `http` or `https` URL: at most `limit` bytes.
///
/// Follows at most 5 redirects, but none from `https` to `http`. Waits at most 10 s for the answer to
/// begin and for each further part of it, and 120 s for all. Certificates are checked against the
/// system's roots, or Mozilla's where the system has none. Asks for a plain answer, but takes one that
/// is compressed with gzip, whose length counts before and after.
///
/// ```no_run
/// # async fn example() -> Result<(), ccbt_peer::source::http::HttpError> {
/// let torrent = ccbt_peer::source::http::fetch("https://example.org/a.torrent", 10 << 20).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`HttpError`] says which bound was met, or what the server or the network said; a status that is
/// not 2xx is an error.
pub async fn fetch(url: &str, limit: usize) -> Result<Bytes, HttpError> {
    fetch_through(&Binding::default(), url, limit).await
}

/// The same as [`fetch`], over the way into the network that `binding` says.
///
/// # Errors
/// As [`fetch`].
pub async fn fetch_through(binding: &Binding, url: &str, limit: usize) -> Result<Bytes, HttpError> {
    let answer = timeout(WHOLE, get_through(binding, url, limit)).await;
    let answer = answer.map_err(|_| HttpError::TimedOut { seconds: WHOLE.as_secs() })??;
    if answer.is_success() { Ok(answer.body) } else { Err(HttpError::Status(answer.status)) }
}

/// An answer of a server, whatever its status.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads it with `parse` as the answer of a tracker.
    pub(super) fn of_tracker<T, E>(
        &self,
        parse: impl Fn(&[u8]) -> Result<T, TrackerError>,
    ) -> Result<T, E>
    where
        E: From<HttpError> + From<TrackerError>,
    {
        match parse(&self.body) {
            // Some trackers send their reason with an error status.
            Err(error @ TrackerError::Refused { .. }) => Err(error.into()),
            _ if !self.is_success() => Err(HttpError::Status(self.status).into()),
            result => Ok(result?),
        }
    }
}

/// Gets what lies at `url`; as [`fetch`], but any status will do and there is no bound on the whole.
pub(super) async fn get(url: &str, limit: usize) -> Result<Answer, HttpError> {
    get_through(&Binding::default(), url, limit).await
}

/// The same, over the way into the network that `binding` says.
pub(super) async fn get_through(
    binding: &Binding,
    url: &str,
    limit: usize,
) -> Result<Answer, HttpError> {
    get_with(&tls::SYSTEM, binding, url, limit).await
}

async fn get_with(
    tls: &Tls,
    binding: &Binding,
    url: &str,
    limit: usize,
) -> Result<Answer, HttpError> {
    let mut uri = parse(url)?;
    for _ in 0..=MOST_REDIRECTS {
        let response = timeout(PATIENCE, send(tls, binding, &uri)).await;
        let response =
            response.map_err(|_| HttpError::TimedOut { seconds: PATIENCE.as_secs() })??;
        match redirect(&response, &uri)? {
            Some(target) => uri = target,
            None => {
                let status = response.status().as_u16();
                let body = body::read(response, limit, PATIENCE).await?;
                return Ok(Answer { status, body });
            }
        }
    }
    Err(HttpError::TooManyRedirects { limit: MOST_REDIRECTS })
}

fn redirect(response: &Response<Incoming>, from: &Uri) -> Result<Option<Uri>, HttpError> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION).filter(|_| is_redirect) else {
        return Ok(None);
    };
    let target = resolve(from, &String::from_utf8_lossy(location.as_bytes()))?;
    if from.scheme_str() == Some("https") && target.scheme_str() == Some("http") {
        return Err(HttpError::Downgrade);
    }
    Ok(Some(target))
}

/// Sends a request as it is to an `http` URL; nothing is followed.
#[cfg(feature = "nat")]
pub(super) async fn call(
    binding: &Binding,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Answer, HttpError> {
    let response = request_over(connector(binding), request).await?;
    let status = response.status().as_u16();
    Ok(Answer { status, body: body::read(response, limit, PATIENCE).await? })
}

async fn send(tls: &Tls, binding: &Binding, uri: &Uri) -> Result<Response<Incoming>, HttpError> {
    let request = Request::get(uri)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT_ENCODING, "identity")
        .body(Full::default())
        .map_err(|error| HttpError::of(&error))?;
    if uri.scheme_str() == Some("https") {
        request_over(tls.connector(connector(binding)).await?, request).await
    } else {
        request_over(connector(binding), request).await
    }
}

fn connector(binding: &Binding) -> HttpConnector {
    let mut connector = HttpConnector::new();
    #[cfg(any(target_os = "android", target_os = "linux"))]
    if let Some(device) = binding.device() {
        connector.set_interface(device);
    }
    match binding.sources() {
        (Some(IpAddr::V4(v4)), Some(IpAddr::V6(v6))) => connector.set_local_addresses(v4, v6),
        // With one address it has no way into the network of the other family.
        (v4, v6) => connector.set_local_address(v4.or(v6)),
    }
    connector
}

async fn request_over<C>(
    connector: C,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, HttpError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    // Announces are minutes apart: a connection that is kept would only be in the way.
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    client.request(request).await.map_err(|error| explained(&error))
}

/// The outermost error only says in which of its parts the client failed.
fn explained(error: &dyn Error) -> HttpError {
    HttpError::of(error.source().unwrap_or(error))
}
