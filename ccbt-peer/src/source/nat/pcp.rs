//! PCP: NAT-PMP's successor, on the same port (RFC 6887).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::datagram;
use super::{MapError, Protocol};
use crate::Binding;

pub(super) const METHOD: &str = "PCP";
const VERSION: u8 = 2;
pub(super) const ANNOUNCE: u8 = 0;
pub(super) const MAP: u8 = 1;
/// Set in answers, beside what was asked.
const RESPONSE: u8 = 0x80;

/// What makes mappings ours: who asks for one again, or gives it back, has to know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nonce(pub(super) [u8; 12]);

impl Nonce {
    pub(super) fn new() -> Self {
        let mut bytes = [0; 12];
        fastrand::fill(&mut bytes);
        Self(bytes)
    }
}

/// A router that speaks PCP.
#[derive(Debug)]
pub(super) struct Router {
    gateway: Ipv4Addr,
    /// Our address, as the router has to see it.
    ours: Ipv4Addr,
    nonce: Nonce,
    /// As its last answer told.
    pub(super) external: Option<IpAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Announced,
    Mapped {
        external: (IpAddr, u16),
        lifetime: u32,
    },
    Refused(u8),
    /// It speaks NAT-PMP alone.
    OtherVersion,
}

impl Router {
    /// That of the gateway, if it speaks PCP.
    pub(super) async fn find(
        binding: &Binding,
        (gateway, ours): (Ipv4Addr, Ipv4Addr),
        nonce: Nonce,
    ) -> Option<Self> {
        let router = Self { gateway, ours, nonce, external: None };
        let answer = router.ask(binding, &router.head(ANNOUNCE, 0)).await?;
        (answer == Answer::Announced).then_some(router)
    }

    /// Tells for how long.
    pub(super) async fn map(
        &mut self,
        binding: &Binding,
        protocol: Protocol,
        port: u16,
        lifetime: Duration,
    ) -> Result<Duration, MapError> {
        let lifetime = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
        match self.ask(binding, &self.request(protocol, (port, port), lifetime)).await {
            Some(Answer::Mapped { external: (ip, given), lifetime }) => {
                self.external = Some(ip).filter(|ip| !ip.is_unspecified());
                let lifetime = Duration::from_secs(lifetime.into());
                if given == port { Ok(lifetime) } else { Err(MapError::OtherPort { port, given }) }
            }
            Some(Answer::Refused(code)) => {
                Err(MapError::Refused { port, method: METHOD, code: code.into() })
            }
            Some(Answer::Announced | Answer::OtherVersion) | None => Err(MapError::NoRouter),
        }
    }

    pub(super) async fn unmap(&self, binding: &Binding, protocol: Protocol, port: u16) {
        // A lifetime of nothing is the end.
        let _ = self.ask(binding, &self.request(protocol, (port, 0), 0)).await;
    }

    async fn ask(&self, binding: &Binding, request: &[u8]) -> Option<Answer> {
        let asked = (request[1], self.nonce);
        datagram::ask(binding, self.gateway, request, |answer| parse(asked, answer)).await
    }

    fn head(&self, opcode: u8, lifetime: u32) -> Vec<u8> {
        let mut bytes = vec![VERSION, opcode, 0, 0];
        bytes.extend(lifetime.to_be_bytes());
        bytes.extend(self.ours.to_ipv6_mapped().octets());
        bytes
    }

    fn request(
        &self,
        protocol: Protocol,
        (internal, external): (u16, u16),
        lifetime: u32,
    ) -> Vec<u8> {
        let mut bytes = self.head(MAP, lifetime);
        bytes.extend(self.nonce.0);
        // The numbers of IP's own header.
        let protocol = match protocol {
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
        };
        bytes.extend([protocol, 0, 0, 0]);
        bytes.extend(internal.to_be_bytes());
        bytes.extend(external.to_be_bytes());
        bytes.extend(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().octets());
        bytes
    }
}

/// `None` if it is no answer to what was asked with this nonce.
pub(super) fn parse((opcode, nonce): (u8, Nonce), datagram: &[u8]) -> Option<Answer> {
    let (version, answered) = (*datagram.first()?, *datagram.get(1)?);
    if version == 0 {
        return Some(Answer::OtherVersion);
    }
    if version != VERSION || answered != opcode | RESPONSE {
        return None;
    }
    let (head, body) = datagram.split_first_chunk::<24>()?;
    match (head[3], opcode) {
        (0, ANNOUNCE) => return Some(Answer::Announced),
        (code, ANNOUNCE) => return Some(Answer::Refused(code)),
        _ => {}
    }
    let body: &[u8; 36] = body.first_chunk()?;
    if body[..12] != nonce.0 {
        return None;
    }
    if head[3] != 0 {
        return Some(Answer::Refused(head[3]));
    }
    let port = u16::from_be_bytes([body[18], body[19]]);
    let ip: [u8; 16] = *body.last_chunk()?;
    let lifetime = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    Some(Answer::Mapped { external: (Ipv6Addr::from(ip).to_canonical(), port), lifetime })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: Nonce = Nonce([7; 12]);

    fn router() -> Router {
        let (gateway, ours) = ([192, 168, 1, 1].into(), [192, 168, 1, 9].into());
        Router { gateway, ours, nonce: NONCE, external: None }
    }

    /// An answer to a MAP request.
    fn mapped(code: u8) -> Vec<u8> {
        let mut bytes = vec![2, 0x81, 0, code, 0, 0, 0x0e, 0x10];
        bytes.extend([0; 16]);
        bytes.extend(NONCE.0);
        bytes.extend([6, 0, 0, 0, 0x1a, 0xe1, 0x1a, 0xe2]);
        bytes.extend(Ipv4Addr::new(203, 0, 113, 5).to_ipv6_mapped().octets());
        bytes
    }

    #[test]
    fn a_request_has_the_form_of_the_rfc() {
        let bytes = router().request(Protocol::Tcp, (6881, 6881), 3_600);
        assert_eq!(bytes.len(), 60);
        assert_eq!(bytes[..8], [2, 1, 0, 0, 0, 0, 0x0e, 0x10]);
        assert_eq!(bytes[8..24], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 9]);
        assert_eq!(bytes[24..36], [7; 12]);
        assert_eq!(bytes[36..44], [6, 0, 0, 0, 0x1a, 0xe1, 0x1a, 0xe1]);
        assert_eq!(bytes[44..], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]);
        assert_eq!(router().head(ANNOUNCE, 0).len(), 24);
    }

    #[test]
    fn answers_are_read_and_what_is_none_is_left() {
        let external = ([203, 0, 113, 5].into(), 0x1ae2);
        assert_eq!(
            parse((MAP, NONCE), &mapped(0)),
            Some(Answer::Mapped { external, lifetime: 3_600 })
        );
        assert_eq!(parse((MAP, NONCE), &mapped(8)), Some(Answer::Refused(8)));
        assert_eq!(parse((MAP, Nonce([8; 12])), &mapped(0)), None, "somebody else's");
        assert_eq!(parse((ANNOUNCE, NONCE), &mapped(0)), None, "of another request");
        let announced = [&[2, 0x80, 0, 0], [0; 20].as_slice()].concat();
        assert_eq!(parse((ANNOUNCE, NONCE), &announced), Some(Answer::Announced));
        let of_natpmp = [0, 0x80, 0, 1, 0, 0, 0, 0];
        assert_eq!(parse((ANNOUNCE, NONCE), &of_natpmp), Some(Answer::OtherVersion));
        (0..60).for_each(|length| assert_eq!(parse((MAP, NONCE), &mapped(0)[..length]), None));
    }
}
