//! A server for tests that answers with given bytes.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Server {
    base: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request with what `answer` makes of its target, then closes the connection.
    pub(crate) async fn start<A>(answer: A) -> Self
    where
        A: Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    {
        Self::answering(move |head| answer(head.split(' ').nth(1).unwrap_or_default())).await
    }

    /// As `start`, for answers that depend on more of a request's head than its target.
    pub(crate) async fn answering<A>(answer: A) -> Self
    where
        A: Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(head) = read_head(&mut stream).await else {
                    continue;
                };
                seen.lock().unwrap().push(head.clone());
                // A client that has heard enough goes away.
                let _ = stream.write_all(&answer(&head)).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { base, heads }
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("{}{target}", self.base)
    }

    /// The heads of the requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
        if head[0] != b'G' {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

/// A whole answer with its length.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
