//! A datagram to a router, and one back.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::timeout;

use crate::Binding;

/// Where routers listen, for NAT-PMP and PCP.
pub(super) const PORT: u16 = 5351;
/// So long an answer is waited for, each time anew.
const WAITS: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_millis(1_000)];
/// The longest answer there is, to a request with options that we do not use.
const LONGEST: usize = 1_100;

/// Asks until there is an answer that `parse` takes for one; `None` if nobody gives it.
pub(super) async fn ask<T>(
    binding: &Binding,
    gateway: Ipv4Addr,
    request: &[u8],
    parse: impl Fn(&[u8]) -> Option<T>,
) -> Option<T> {
    let socket = binding.async_udp(true, 0).ok()?;
    socket.connect((gateway, PORT)).await.ok()?;
    let mut datagram = [0; LONGEST];
    for wait in WAITS {
        socket.send(request).await.ok()?;
        let answer = async {
            loop {
                let length = socket.recv(&mut datagram).await.ok()?;
                if let Some(answer) = parse(&datagram[..length]) {
                    return Some(answer);
                }
            }
        };
        match timeout(wait, answer).await {
            // Nobody listens there.
            Ok(None) => return None,
            Ok(answer) => return answer,
            Err(_) => {}
        }
    }
    None
}
