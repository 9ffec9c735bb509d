//! A UDP tracker for tests that does as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use ccbt_wire::tracker::udp::{Family, Reply, Request};
use tokio::net::UdpSocket;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Gives each client the connection id 4711, and answers what is asked under it with `answer`; with
    /// silence if that is `None`, and with a refusal if it is asked under another id.
    pub(crate) async fn start<A>(host: &str, answer: A) -> Self
    where
        A: Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    {
        let socket = UdpSocket::bind((host, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heard);
        tokio::spawn(async move {
            let mut buffer = vec![0; 2048];
            while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
                let Ok((transaction, request)) = Request::parse(&buffer[..length]) else {
                    continue;
                };
                let reply = match &request {
                    Request::Connect => Some(Reply::Connect { connection: 4711 }),
                    Request::Announce { connection: 4711, .. }
                    | Request::Scrape { connection: 4711, .. } => answer(&request),
                    _ => Some(Reply::Error("connection id mismatch".into())),
                };
                seen.lock().unwrap().push(request);
                if let Some(reply) = reply {
                    let family = Family::of(address);
                    socket.send_to(&reply.encode(transaction, family), client).await.unwrap();
                }
            }
        });
        Self { address, heard }
    }

    pub(crate) fn url(&self, rest: &str) -> String {
        format!("udp://{}{rest}", self.address)
    }

    /// What it was asked so far.
    pub(crate) fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap().clone()
    }
}
