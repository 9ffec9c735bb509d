//! Encryption, which is set up when the first `https` URL is asked for.

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::client::WantsClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};

use super::HttpError;

/// What certificates of servers are checked against.
///
/// Reading and parsing the system's roots takes milliseconds: once is enough.
#[derive(Debug)]
pub(super) struct Tls(OnceLock<ClientConfig>);

/// The system's roots, or Mozilla's where the system has none.
pub(super) static SYSTEM: Tls = Tls(OnceLock::new());

impl Tls {
    /// A connector for `https` URLs, over this one for their connections.
    pub(super) async fn connector(
        &self,
        mut http: HttpConnector,
    ) -> Result<HttpsConnector<HttpConnector>, HttpError> {
        let config = match self.0.get() {
            Some(config) => config.clone(),
            None => {
                let read = tokio::task::spawn_blocking(system).await;
                let config = read.map_err(|error| HttpError::of(&error))??;
                self.0.get_or_init(|| config).clone()
            }
        };
        http.enforce_http(false);
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        Ok(builder.https_only().enable_http1().wrap_connector(http))
    }
}

fn system() -> Result<ClientConfig, HttpError> {
    match verified()?.with_native_roots() {
        Ok(config) => Ok(finished(config)),
        // A system without certificates, such as a small container.
        Err(_) => bundled(),
    }
}

fn bundled() -> Result<ClientConfig, HttpError> {
    Ok(finished(verified()?.with_webpki_roots()))
}

fn verified() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, HttpError> {
    let builder = ClientConfig::builder_with_provider(provider());
    builder.with_safe_default_protocol_versions().map_err(|error| HttpError::of(&error))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn finished(builder: ConfigBuilder<ClientConfig, WantsClientCert>) -> ClientConfig {
    builder.with_no_client_auth()
}
