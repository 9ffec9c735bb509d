use tokio::net::TcpListener;

use super::server::{Server, answer};
use super::*;
use crate::source::UrlError;

const OK: &str = "200 OK";

async fn fetch_of(bytes: Vec<u8>, limit: usize) -> Result<Bytes, HttpError> {
    let server = Server::start(move |_| bytes.clone()).await;
    fetch(&server.url("/"), limit).await
}

#[tokio::test]
async fn a_body_comes_with_its_length_in_chunks_or_until_the_end() {
    let whole = answer(OK, "", b"some bytes");
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsome \r\n5\r\nbytes\r\n0\r\n\r\n";
    let old = b"HTTP/1.0 200 OK\r\n\r\nsome bytes";
    for bytes in [whole, chunks.to_vec(), old.to_vec()] {
        assert_eq!(fetch_of(bytes, 10).await.unwrap(), "some bytes");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_however_it_comes() {
    let whole = answer(OK, "", b"some bytes");
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsome \r\n5\r\nbytes\r\n0\r\n\r\n";
    let old = b"HTTP/1.0 200 OK\r\n\r\nsome bytes";
    let promised = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
    for bytes in [whole, chunks.to_vec(), old.to_vec(), promised.to_vec()] {
        assert_eq!(fetch_of(bytes, 9).await, Err(HttpError::TooLong { limit: 9 }));
    }
}

#[tokio::test]
async fn a_body_that_ends_too_early_is_an_error() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nsome".to_vec();
    assert!(matches!(fetch_of(cut, 1_000).await, Err(HttpError::Failed(_))));
}

#[tokio::test]
async fn other_statuses_and_compressed_bodies_are_errors() {
    assert_eq!(fetch_of(answer("404 Not Found", "", b""), 9).await, Err(HttpError::Status(404)));
    assert_eq!(fetch_of(answer("302 Found", "", b""), 9).await, Err(HttpError::Status(302)));
    let packed = answer(OK, "Content-Encoding: br\r\n", b"");
    assert_eq!(fetch_of(packed, 9).await, Err(HttpError::Encoding("br".into())));
}

#[tokio::test]
async fn gzip_is_unpacked_although_it_was_not_asked_for_and_its_length_counts_twice() {
    // "some bytes", as gzip 1.12 packs it.
    let packed = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03+\xce\xcfMUH\xaa,I-\x06\x00U\x7fY\x9f\x0a\x00\x00\x00";
    let whole = |headers| answer(OK, headers, packed);
    for headers in ["Content-Encoding: gzip\r\n", "content-encoding: X-GZip\r\n"] {
        assert_eq!(fetch_of(whole(headers), 30).await.unwrap(), "some bytes");
    }
    let headers = "Content-Encoding: identity\r\n";
    assert_eq!(fetch_of(whole(headers), 30).await.unwrap(), &packed[..]);
    let headers = "Content-Encoding: gzip\r\n";
    assert_eq!(fetch_of(whole(headers), 29).await, Err(HttpError::TooLong { limit: 29 }));
    let bomb = answer(OK, headers, &gzip::tests::pack(&[b'0'; 31]));
    assert_eq!(fetch_of(bomb, 30).await, Err(HttpError::TooLong { limit: 30 }));
}

#[tokio::test]
async fn what_is_no_http_is_an_error() {
    assert!(matches!(fetch_of(b"220 ftp ready\r\n".to_vec(), 9).await, Err(HttpError::Failed(_))));
    assert!(matches!(fetch_of(Vec::new(), 9).await, Err(HttpError::Failed(_))));
}

#[tokio::test]
async fn a_refused_connection_names_its_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = fetch(&format!("http://{address}/"), 9).await.unwrap_err().to_string();
    assert!(error.starts_with("tcp connect error: ") && error.contains("refused"), "{error}");
}

#[tokio::test]
async fn five_redirects_are_followed_and_no_sixth() {
    let server = Server::start(|target| match target.strip_prefix("/a/") {
        Some("0") => answer(OK, "", b"here"),
        Some(n) => {
            let next = n.parse::<u32>().unwrap() - 1;
            answer("302 Found", &format!("Location: ../a/{next}\r\n"), b"elsewhere")
        }
        None => answer("404 Not Found", "", b""),
    })
    .await;
    assert_eq!(fetch(&server.url("/a/5"), 9).await.unwrap(), "here");
    assert_eq!(fetch(&server.url("/a/6"), 9).await, Err(HttpError::TooManyRedirects { limit: 5 }));
}

#[tokio::test]
async fn a_redirect_may_be_absolute_but_must_stay_with_http() {
    let there = Server::start(|_| answer(OK, "", b"there")).await;
    let url = there.url("/x");
    let here = Server::start(move |target| match target {
        "/absolute" => answer("301 Moved", &format!("Location: {url}\r\n"), b""),
        _ => answer("301 Moved", "Location: file:///etc/hosts\r\n", b""),
    })
    .await;
    assert_eq!(fetch(&here.url("/absolute"), 9).await.unwrap(), "there");
    let refused = UrlError::Scheme { scheme: "file".into(), known: "http and https" };
    assert_eq!(fetch(&here.url("/file"), 9).await, Err(HttpError::Url(refused)));
}

#[tokio::test]
async fn the_request_says_who_asks_and_keeps_the_query_as_it_is() {
    let server = Server::start(|_| answer(OK, "", b"")).await;
    fetch(&server.url("/a?info_hash=%12%ab~x&b"), 9).await.unwrap();
    let head = server.heads().remove(0).to_lowercase();
    assert!(head.starts_with("get /a?info_hash=%12%ab~x&b http/1.1\r\n"), "{head}");
    assert!(head.contains(concat!("\r\nuser-agent: ccbt/", env!("CARGO_PKG_VERSION"), "\r\n")));
    assert!(head.contains("\r\nhost: 127.0.0.1:"));
}

#[tokio::test]
async fn https_does_not_fall_back_to_plain_text() {
    let server = Server::start(|_| answer(OK, "", b"plain")).await;
    let url = server.url("/").replace("http:", "https:");
    assert!(matches!(fetch(&url, 9).await, Err(HttpError::Failed(_))));
    assert_eq!(server.heads(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    assert_eq!(fetch(&url, 9).await, Err(HttpError::TimedOut { seconds: 10 }));
}
