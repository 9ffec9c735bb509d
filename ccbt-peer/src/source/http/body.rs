//! Reading a body while its length is watched.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body, Incoming};
use hyper::header::CONTENT_ENCODING;
use tokio::time::timeout;

use super::HttpError;

/// Reads the body, part by part; stops at the first byte that is too much.
pub(super) async fn read(
    response: Response<Incoming>,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, HttpError> {
    if let Some(encoding) = response.headers().get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        let encoding = String::from_utf8_lossy(encoding.as_bytes()).into_owned();
        return Err(HttpError::Encoding(encoding));
    }
    let mut body = response.into_body();
    if body.size_hint().lower() > limit as u64 {
        return Err(HttpError::TooLong { limit });
    }
    let mut bytes = BytesMut::new();
    loop {
        let frame = timeout(patience, body.frame()).await;
        match frame.map_err(|_| HttpError::TimedOut { seconds: patience.as_secs() })? {
            None => return Ok(bytes.freeze()),
            Some(Err(error)) => return Err(HttpError::of(&error)),
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                if data.len() > limit - bytes.len() {
                    return Err(HttpError::TooLong { limit });
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
}
