//! NAT-PMP: a datagram to the router, and one back (RFC 6886).

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::datagram;
use super::{MapError, Protocol};
use crate::Binding;

pub(super) const METHOD: &str = "NAT-PMP";

#[derive(Clone, Copy, Debug)]
pub(super) struct Router {
    gateway: Ipv4Addr,
}

/// What a router answers: the bytes behind the head, or an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    External(Ipv4Addr),
    Mapped { external: u16, lifetime: u32 },
    Refused(u16),
}

impl Router {
    pub(super) fn new(gateway: Ipv4Addr) -> Self {
        Self { gateway }
    }

    /// The router's address on the other side; `None` also if nobody answers.
    pub(super) async fn external(&self, binding: &Binding) -> Option<IpAddr> {
        match self.ask(binding, &[0, 0]).await? {
            Answer::External(ip) => Some(ip.into()),
            _ => None,
        }
    }

    /// Tells for how long.
    pub(super) async fn map(
        &self,
        binding: &Binding,
        protocol: Protocol,
        port: u16,
        lifetime: Duration,
    ) -> Result<Duration, MapError> {
        let lifetime = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
        match self.ask(binding, &request(protocol, port, port, lifetime)).await {
            Some(Answer::Mapped { external, lifetime }) if external == port => {
                Ok(Duration::from_secs(lifetime.into()))
            }
            Some(Answer::Mapped { external: given, .. }) => {
                Err(MapError::OtherPort { port, given })
            }
            Some(Answer::Refused(code)) => Err(MapError::Refused { port, method: METHOD, code }),
            Some(Answer::External(_)) | None => Err(MapError::NoRouter),
        }
    }

    pub(super) async fn unmap(&self, binding: &Binding, protocol: Protocol, port: u16) {
        // A lifetime of nothing is the end.
        let _ = self.ask(binding, &request(protocol, port, 0, 0)).await;
    }

    async fn ask(&self, binding: &Binding, request: &[u8]) -> Option<Answer> {
        datagram::ask(binding, self.gateway, request, |answer| parse(request[1], answer)).await
    }
}

fn request(protocol: Protocol, internal: u16, external: u16, lifetime: u32) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[1] = match protocol {
        Protocol::Udp => 1,
        Protocol::Tcp => 2,
    };
    bytes[4..6].copy_from_slice(&internal.to_be_bytes());
    bytes[6..8].copy_from_slice(&external.to_be_bytes());
    bytes[8..].copy_from_slice(&lifetime.to_be_bytes());
    bytes
}

/// `None` if it is no answer to a request with this number.
pub(super) fn parse(request: u8, datagram: &[u8]) -> Option<Answer> {
    let (head, rest) = datagram.split_first_chunk::<8>()?;
    if head[0] != 0 || head[1] != request | 0x80 {
        return None;
    }
    let code = u16::from_be_bytes([head[2], head[3]]);
    if code != 0 {
        return Some(Answer::Refused(code));
    }
    match (request, rest) {
        (0, &[a, b, c, d, ..]) => Some(Answer::External(Ipv4Addr::new(a, b, c, d))),
        (_, &[_, _, high, low, a, b, c, d, ..]) => Some(Answer::Mapped {
            external: u16::from_be_bytes([high, low]),
            lifetime: u32::from_be_bytes([a, b, c, d]),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_form_of_the_rfc() {
        let expected = [0, 2, 0, 0, 0x1a, 0xe1, 0x1a, 0xe1, 0, 0, 0x0e, 0x10];
        assert_eq!(request(Protocol::Tcp, 6881, 6881, 3_600), expected);
    }

    #[test]
    fn answers_are_read_and_what_is_none_is_left() {
        let external = [0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 5];
        assert_eq!(parse(0, &external), Some(Answer::External([203, 0, 113, 5].into())));
        let mapped = [0, 130, 0, 0, 0, 0, 0, 9, 0x1a, 0xe1, 0x1a, 0xe2, 0, 0, 0x0e, 0x10];
        assert_eq!(parse(2, &mapped), Some(Answer::Mapped { external: 6882, lifetime: 3_600 }));
        assert_eq!(parse(2, &[0, 130, 0, 2, 0, 0, 0, 9]), Some(Answer::Refused(2)));
        assert_eq!(parse(1, &mapped), None);
        assert_eq!(parse(2, &[2, 130, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0]), None);
        (0..12).for_each(|length| assert_eq!(parse(0, &external[..length.min(11)]), None));
    }
}
