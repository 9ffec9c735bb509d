//! Encryption, which is set up when the first `https` URL is asked for.

use std::sync::{Arc, OnceLock};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::ring;

use super::HttpError;

/// Reading and parsing the system's certificates takes milliseconds: once is enough.
static CONNECTOR: OnceLock<HttpsConnector<HttpConnector>> = OnceLock::new();

/// A connector for `https` URLs.
pub(super) async fn connector() -> Result<HttpsConnector<HttpConnector>, HttpError> {
    if let Some(connector) = CONNECTOR.get() {
        return Ok(connector.clone());
    }
    let built = tokio::task::spawn_blocking(build).await;
    let built = built.map_err(|error| HttpError::of(&error))??;
    Ok(CONNECTOR.get_or_init(|| built).clone())
}

fn build() -> Result<HttpsConnector<HttpConnector>, HttpError> {
    let provider = Arc::new(ring::default_provider());
    let native = HttpsConnectorBuilder::new().with_provider_and_native_roots(Arc::clone(&provider));
    let builder = match native {
        Ok(builder) => builder,
        // A system without certificates, such as a small container.
        Err(_) => HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(provider)
            .map_err(|error| HttpError::of(&error))?,
    };
    Ok(builder.https_only().enable_http1().build())
}
