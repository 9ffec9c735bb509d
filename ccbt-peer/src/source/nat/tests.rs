use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;

const PORT: u16 = 6881;

/// A UPnP router that refuses this protocol, and what it was told: an action, and the protocol.
async fn router(refuses: &'static str) -> (Router, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            let body = String::from_utf8(body).unwrap();
            let asked = |word: &str| body.contains(word);
            let protocol = if asked(">UDP<") { "UDP" } else { "TCP" };
            let (status, text) = if asked("u:AddPortMapping") {
                heard.lock().unwrap().push(format!("add {protocol}"));
                let fault = "<errorCode>718</errorCode>";
                if protocol == refuses { ("500 Error", fault) } else { ("200 OK", "") }
            } else {
                if asked("u:DeletePortMapping") {
                    heard.lock().unwrap().push(format!("delete {protocol}"));
                }
                ("200 OK", "")
            };
            let length = text.len();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n");
            let answer = format!("{head}Connection: close\r\n\r\n{text}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let control = format!("http://{address}/control").parse().unwrap();
    (Router::Upnp(upnp::Router::at(control, Ipv4Addr::LOCALHOST)), told)
}

#[tokio::test]
async fn a_mapping_of_somebody_else_is_left_alone() {
    let ports = [(Protocol::Tcp, PORT), (Protocol::Udp, PORT)];
    for (refuses, expected) in
        [("TCP", &["add TCP"][..]), ("UDP", &["add TCP", "add UDP", "delete TCP"])]
    {
        let (router, told) = router(refuses).await;
        let made = Mapping::through(router, &Binding::default(), &ports).await;
        let refused = MapError::Refused { port: PORT, method: "UPnP", code: 718 };
        assert_eq!(made.unwrap_err(), refused);
        assert_eq!(*told.lock().unwrap(), expected);
    }
}

#[tokio::test]
async fn what_was_given_is_given_back() {
    let ports = [(Protocol::Tcp, PORT), (Protocol::Udp, PORT)];
    let (router, told) = router("nothing").await;
    let mapping = Mapping::through(router, &Binding::default(), &ports).await.unwrap();
    mapping.remove(&Binding::default()).await;
    assert_eq!(*told.lock().unwrap(), ["add TCP", "add UDP", "delete TCP", "delete UDP"]);
}

#[tokio::test]
async fn it_is_asked_again_after_half_of_what_it_gives_but_not_every_moment() {
    let (router, _) = router("nothing").await;
    let ports = [(Protocol::Tcp, PORT)];
    let mut mapping = Mapping::through(router, &Binding::default(), &ports).await.unwrap();
    assert_eq!(mapping.renewal(), LIFETIME / 2);
    for (given, expected) in [(600, 300), (90, 60), (0, 60)] {
        mapping.lifetime = Duration::from_secs(given);
        assert_eq!(mapping.renewal(), Duration::from_secs(expected));
    }
}

#[tokio::test]
async fn a_way_that_fails_at_once_does_not_end_the_other() {
    let later = async {
        tokio::task::yield_now().await;
        Some(7)
    };
    assert_eq!(first_found(later, async { None }).await, Some(7));
    assert_eq!(first_found(async { None }, async { Some(8) }).await, Some(8));
    assert_eq!(first_found(async { None::<u8> }, async { None }).await, None);
}
