//! What the fuzzer does with what routers answer, or those who say they were one.

#![cfg_attr(not(fuzzing), allow(unreachable_pub, reason = "the fuzzer calls it from outside"))]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{natpmp, pcp as protocol, upnp as igd};
use crate::source::http;

const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// An answer to the request that the first byte says: nothing but what the RFC has at its place is heard.
///
/// # Panics
/// If something else is.
pub fn nat_pmp(input: &[u8]) {
    use natpmp::Answer;
    let Some((&request, datagram)) = input.split_first() else { return };
    let request = request % 3;
    let Some(answer) = natpmp::parse(request, datagram) else { return };
    let head = |code: u16| [&[0, request | 0x80][..], &code.to_be_bytes(), &[0; 4]].concat();
    let written = match &answer {
        Answer::Refused(code) => head(*code),
        Answer::External(ip) => [&head(0)[..], &ip.octets()].concat(),
        Answer::Mapped { external, lifetime } => {
            [&head(0)[..], &[0; 2], &external.to_be_bytes(), &lifetime.to_be_bytes()].concat()
        }
    };
    // Not looked at: the router's clock, and our own port.
    let unread = if matches!(answer, Answer::Mapped { .. }) { 4..10 } else { 4..8 };
    assert_same(&written, datagram, &[unread]);
    assert_eq!(natpmp::parse(request, &written), Some(answer));
}

/// The same for PCP, whose mappings have our nonce.
///
/// # Panics
/// If something else is heard than what the RFC has at its place.
pub fn pcp(input: &[u8]) {
    use protocol::{ANNOUNCE, Answer, MAP, Nonce};
    const NONCE: Nonce = Nonce([7; 12]);
    let Some((&opcode, datagram)) = input.split_first() else { return };
    let opcode = if opcode % 2 == 0 { ANNOUNCE } else { MAP };
    let Some(answer) = protocol::parse((opcode, NONCE), datagram) else { return };
    let form = |code: u8, lifetime: u32, (ip, port): (IpAddr, u16)| {
        let ip = match ip {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let mut written = vec![2, opcode | 0x80, 0, code];
        written.extend(lifetime.to_be_bytes());
        written.extend([0; 16]);
        if opcode == MAP {
            written.extend(NONCE.0);
            written.extend([0; 6]);
            written.extend(port.to_be_bytes());
            written.extend(ip.octets());
        }
        written
    };
    let nowhere = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    // Not looked at: a reserved byte, the router's clock and more that is reserved; protocol and our own port.
    let mut unread = vec![2..3, 8..24, 36..42];
    let written = match answer {
        // Of the version alone is known that it is another one.
        Answer::OtherVersion => return assert_eq!((datagram[0], datagram.len() >= 2), (0, true)),
        Answer::Mapped { external, lifetime } => form(0, lifetime, external),
        Answer::Announced | Answer::Refused(_) => {
            unread.extend([4..8, 42..60]);
            let Answer::Refused(code) = answer else { return assert_eq!(datagram[3], 0) };
            assert_ne!(code, 0, "a success is no refusal");
            form(code, 0, nowhere)
        }
    };
    assert_same(&written, datagram, &unread);
    assert_eq!(protocol::parse((opcode, NONCE), &written), Some(answer));
}

/// An answer to the search for routers: nobody sends us to another host.
///
/// # Panics
/// If he can.
pub fn ssdp(input: &[u8]) {
    let from = SocketAddr::from((ROUTER, 1900));
    let Some(url) = igd::location(input, from) else { return };
    assert_eq!((url.host(), url.scheme_str()), (Some("192.0.2.1"), Some("http")));
    assert!(!url.to_string().contains(char::is_control), "{url:?}");
}

/// What a router says over HTTP, of itself and of what it was told: whatever it is, it is told at its own host, by a
/// request that is one.
///
/// # Panics
/// If another host would be told, or if a text of the router changes the form of what we send.
pub fn upnp(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (_, _) = (igd::external(&text), igd::code(&text));
    let url = http::parse("http://192.0.2.1:5000/rootDesc.xml").expect("a URL");
    let Some(router) = igd::Router::described(&text, &url, ROUTER) else { return };
    let request = router.request("GetExternalIPAddress", "").expect("it was described as plain");
    let control = request.uri();
    assert_eq!((control.host(), control.scheme_str()), (Some("192.0.2.1"), Some("http")));
    let action = request.headers().get("SOAPAction").and_then(|action| action.to_str().ok());
    let service = action.and_then(|action| action.strip_suffix("#GetExternalIPAddress\""));
    let service = service.and_then(|service| service.strip_prefix('"')).expect("a service");
    assert!(service.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.".contains(&byte)));
}

/// That a datagram begins with these bytes, but for those that are not read.
fn assert_same(written: &[u8], datagram: &[u8], unread: &[std::ops::Range<usize>]) {
    let mut read = datagram[..written.len()].to_vec();
    for (at, byte) in read.iter_mut().enumerate() {
        if unread.iter().any(|range| range.contains(&at)) {
            *byte = written[at];
        }
    }
    assert_eq!(read, written);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_corpora_of_what_routers_answer_do_no_harm() {
        type Target = fn(&[u8]);
        for (name, target) in
            [("nat_pmp", nat_pmp as Target), ("pcp", pcp), ("ssdp", ssdp), ("upnp", upnp)]
        {
            let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
            let mut replayed = 0;
            for file in corpus.read_dir().unwrap() {
                let file = file.unwrap().path();
                println!("{}", file.display());
                target(&std::fs::read(file).unwrap());
                replayed += 1;
            }
            assert!(replayed > 0, "{name}");
        }
    }
}
