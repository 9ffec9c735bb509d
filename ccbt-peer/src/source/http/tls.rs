//! Encryption, which is set up when the first `https` URL is asked for.

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use hyper_rustls::builderstates::WantsSchemes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::{CryptoProvider, ring};

use super::HttpError;

/// What certificates of servers are checked against.
///
/// Reading and parsing the system's roots takes milliseconds: once is enough.
#[derive(Debug)]
pub(super) struct Tls(OnceLock<HttpsConnector<HttpConnector>>);

/// The system's roots, or Mozilla's where the system has none.
pub(super) static SYSTEM: Tls = Tls(OnceLock::new());

impl Tls {
    /// A connector for `https` URLs.
    pub(super) async fn connector(&self) -> Result<HttpsConnector<HttpConnector>, HttpError> {
        if let Some(connector) = self.0.get() {
            return Ok(connector.clone());
        }
        let built = tokio::task::spawn_blocking(system).await;
        let built = finished(built.map_err(|error| HttpError::of(&error))??);
        Ok(self.0.get_or_init(|| built).clone())
    }
}

type Builder = HttpsConnectorBuilder<WantsSchemes>;

fn system() -> Result<Builder, HttpError> {
    let native = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider());
    // A system without certificates, such as a small container.
    native.or_else(|_| bundled())
}

fn bundled() -> Result<Builder, HttpError> {
    let bundled = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(provider());
    bundled.map_err(|error| HttpError::of(&error))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn finished(builder: Builder) -> HttpsConnector<HttpConnector> {
    builder.https_only().enable_http1().build()
}
