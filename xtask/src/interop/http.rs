//! The little HTTP that trackers and other clients' interfaces need.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// The body of the reply to a GET, which must be a success.
pub(super) fn get(address: SocketAddr, path: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    body(stream).with_context(|| format!("http://{address}{path}"))
}

fn body(reply: impl Read) -> Result<Vec<u8>> {
    let mut reply = BufReader::new(reply);
    let mut line = || -> Result<String> {
        let mut line = String::new();
        ensure!(reply.read_line(&mut line)? > 0, "a reply that ends in its headers");
        Ok(line.trim_end().to_ascii_lowercase())
    };
    let status = line()?;
    ensure!(status.split(' ').nth(1) == Some("200"), "the reply is {status:?}");
    // Not everybody closes after a reply whose length is told.
    let mut length = u64::MAX;
    loop {
        let header = line()?;
        if header.is_empty() {
            break;
        }
        if let Some(number) = header.strip_prefix("content-length:") {
            length = number.trim().parse()?;
        }
    }
    let mut body = Vec::new();
    reply.take(length).read_to_end(&mut body)?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn the_body_stands_behind_the_headers_of_a_success() {
        let reply = |text: &str| body(text.as_bytes());
        assert_eq!(reply("HTTP/1.1 200 OK\r\nA: b\r\n\r\nx\r\n\r\ny").unwrap(), b"x\r\n\r\ny");
        assert_eq!(reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc").unwrap(), b"ab");
        assert!(reply("HTTP/1.1 403 Forbidden\r\n\r\nno").is_err());
        assert!(reply("HTTP/1.1 200 OK\r\n").is_err());
    }
}
