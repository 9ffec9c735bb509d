//! Reading a body while its length is watched, before and after decompression.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body, Incoming};
use hyper::header::CONTENT_ENCODING;
use tokio::time::timeout;

use super::{HttpError, gzip};

/// Reads the body, part by part; stops at the first byte that is too much.
pub(super) async fn read(
    response: Response<Incoming>,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, HttpError> {
    let encoding = encoding(&response)?;
    let bytes = received(response.into_body(), limit, patience).await?;
    match encoding {
        Encoding::Identity => Ok(bytes),
        Encoding::Gzip => gzip::unpack(&bytes, limit),
    }
}

enum Encoding {
    Identity,
    Gzip,
}

fn encoding(response: &Response<Incoming>) -> Result<Encoding, HttpError> {
    let Some(named) = response.headers().get(CONTENT_ENCODING) else {
        return Ok(Encoding::Identity);
    };
    match named.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
        b"identity" | b"" => Ok(Encoding::Identity),
        // We do not ask for it, but there are trackers that compress whatever they send.
        b"gzip" | b"x-gzip" => Ok(Encoding::Gzip),
        other => Err(HttpError::Encoding(String::from_utf8_lossy(other).into_owned())),
    }
}

async fn received(
    mut body: Incoming,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, HttpError> {
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
