use std::sync::Mutex;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::Binding;
use crate::source::http::server::{Server, answer};
use crate::source::http::{Answer, get_with};

/// A server with a certificate that it made itself; it gives the same answer to everything.
struct Secure {
    base: String,
    certificate: CertificateDer<'static>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Secure {
    async fn start(name: &str, answer: Vec<u8>) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that trusts us not goes away.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = vec![0; 4096];
                let length = stream.read(&mut head).await.unwrap_or(0);
                seen.lock().unwrap().push(String::from_utf8_lossy(&head[..length]).into_owned());
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { base, certificate: cert.der().clone(), heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Trusts nobody but this one.
fn trusting(certificate: &CertificateDer<'static>) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    Tls(OnceLock::from(finished(verified().unwrap().with_root_certificates(roots))))
}

async fn get(tls: &Tls, url: &str) -> Result<Answer, HttpError> {
    get_with(tls, &Binding::default(), url, 1_000).await
}

fn failure(result: Result<Answer, HttpError>) -> String {
    match result {
        Err(HttpError::Failed(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_we_trust_is_asked_under_encryption() {
    let server = Secure::start("127.0.0.1", answer("200 OK", "", b"a secret")).await;
    let url = format!("{}/announce?x=1", server.base);
    let got = get(&trusting(&server.certificate), &url).await.unwrap();
    assert_eq!((got.status, &got.body[..]), (200, &b"a secret"[..]));
    let heads = server.heads();
    assert!(heads[0].starts_with("GET /announce?x=1 HTTP/1.1\r\n"), "{heads:?}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said() {
    let server = Secure::start("127.0.0.1", answer("200 OK", "", b"a secret")).await;
    let text = failure(get(&SYSTEM, &server.base).await);
    assert!(text.contains("certificate"), "{text}");
    assert_eq!(server.heads(), [""; 0]);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = Secure::start("t.example", answer("200 OK", "", b"a secret")).await;
    let text = failure(get(&trusting(&server.certificate), &server.base).await);
    assert!(text.contains("not valid for name"), "{text}");
    assert_eq!(server.heads(), [""; 0]);
}

#[tokio::test]
async fn a_redirect_may_lead_into_encryption_but_not_out_of_it() {
    let inside = Secure::start("127.0.0.1", answer("200 OK", "", b"inside")).await;
    let location = format!("Location: {}/\r\n", inside.base);
    let plain = Server::start(move |_| answer("302 Found", &location, b"")).await;
    let got = get(&trusting(&inside.certificate), &plain.url("/")).await.unwrap();
    assert_eq!(got.body, "inside");

    let plain = Server::start(|_| answer("200 OK", "", b"outside")).await;
    let out = answer("302 Found", &format!("Location: {}\r\n", plain.url("/")), b"");
    let server = Secure::start("127.0.0.1", out).await;
    let result = get(&trusting(&server.certificate), &server.base).await;
    assert!(matches!(result, Err(HttpError::Downgrade)), "{result:?}");
    assert_eq!(plain.heads(), [""; 0]);
}

#[test]
fn roots_are_on_board_for_a_system_without() {
    assert!(bundled().is_ok());
}
