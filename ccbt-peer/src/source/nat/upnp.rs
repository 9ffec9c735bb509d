//! UPnP IGD: a router that is found by asking everybody, and told over HTTP.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Uri};
use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::{MapError, Protocol, ours_towards};
use crate::Binding;
use crate::source::http;

pub(super) const METHOD: &str = "UPnP";
/// Where routers listen.
const GROUP: (Ipv4Addr, u16) = (Ipv4Addr::new(239, 255, 255, 250), 1900);
/// So long answers are waited for, each time anew.
const WAITS: [Duration; 2] = [Duration::from_millis(1_000), Duration::from_millis(2_000)];
/// One answer of a router over HTTP may take so long, and be so long.
const PATIENCE: Duration = Duration::from_secs(3);
const LONGEST: usize = 256 << 10;
/// The router takes mappings without an end alone (UPnP IGD, `OnlyPermanentLeasesSupported`).
const PERMANENT_ONLY: u16 = 725;

/// A router that speaks it.
#[derive(Clone, Debug)]
pub(super) struct Router {
    /// Where its service is told what to do.
    control: Uri,
    service: String,
    /// Our address as it sees us.
    ours: Ipv4Addr,
}

impl Router {
    /// Asks everybody in the local network.
    pub(super) async fn find(binding: &Binding, gateway: Option<Ipv4Addr>) -> Option<Self> {
        let socket = binding.async_udp(true, 0).ok()?;
        if let Some(ours) = ours_towards(binding, gateway.unwrap_or(GROUP.0)).await {
            // A route for groups is often missing.
            let _ = SockRef::from(&socket).set_multicast_if_v4(&ours);
        }
        for wait in WAITS {
            let request = format!(
                "M-SEARCH * HTTP/1.1\r\nHOST: {}:{}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
                 ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n",
                GROUP.0, GROUP.1
            );
            socket.send_to(request.as_bytes(), GROUP).await.ok()?;
            if let Ok(Some(router)) =
                timeout(wait + PATIENCE, answers(&socket, wait, binding)).await
            {
                return Some(router);
            }
        }
        None
    }

    /// One of the usual kind, told at this URL.
    #[cfg(test)]
    pub(super) fn at(control: Uri, ours: Ipv4Addr) -> Self {
        let service = "urn:schemas-upnp-org:service:WANIPConnection:1".to_owned();
        Self { control, service, ours }
    }

    /// The one that this text of a router at this URL describes, if it is told over HTTP at the same host.
    pub(super) fn described(text: &str, url: &Uri, ours: Ipv4Addr) -> Option<Self> {
        let (service, path) = service(text)?;
        let control = http::resolve(url, path).ok()?;
        let is_there = control.host() == url.host() && control.scheme_str() == Some("http");
        is_there.then(|| Self { control, service: service.to_owned(), ours })
    }

    pub(super) async fn external(&self, binding: &Binding) -> Option<IpAddr> {
        let (_, answer) = self.call(binding, "GetExternalIPAddress", "").await?;
        external(&answer)
    }

    pub(super) async fn map(
        &self,
        binding: &Binding,
        protocol: Protocol,
        port: u16,
        lifetime: Duration,
    ) -> Result<(), MapError> {
        let mut refused = None;
        for lease in [lifetime.as_secs(), 0] {
            let arguments = format!(
                "{}<NewInternalPort>{port}</NewInternalPort>\
                 <NewInternalClient>{}</NewInternalClient><NewEnabled>1</NewEnabled>\
                 <NewPortMappingDescription>ccbt</NewPortMappingDescription>\
                 <NewLeaseDuration>{lease}</NewLeaseDuration>",
                outside(protocol, port),
                self.ours
            );
            match self.call(binding, "AddPortMapping", &arguments).await {
                Some((true, _)) => return Ok(()),
                Some((false, answer)) => {
                    refused = Some(code(&answer));
                    if refused != Some(PERMANENT_ONLY) {
                        break;
                    }
                }
                None => break,
            }
        }
        match refused {
            Some(code) => Err(MapError::Refused { port, method: METHOD, code }),
            None => Err(MapError::NoRouter),
        }
    }

    pub(super) async fn unmap(&self, binding: &Binding, protocol: Protocol, port: u16) {
        let _ = self.call(binding, "DeletePortMapping", &outside(protocol, port)).await;
    }

    /// Tells the router something; gives whether it did it, and what it said.
    async fn call(
        &self,
        binding: &Binding,
        action: &str,
        arguments: &str,
    ) -> Option<(bool, String)> {
        let request = self.request(action, arguments)?;
        let answer = timeout(PATIENCE, http::call(binding, request, LONGEST)).await.ok()?.ok()?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        Some((answer.is_success(), text))
    }

    pub(super) fn request(&self, action: &str, arguments: &str) -> Option<Request<Full<Bytes>>> {
        let service = &self.service;
        let body = format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>\
             <u:{action} xmlns:u=\"{service}\">{arguments}</u:{action}></s:Body></s:Envelope>"
        );
        Request::post(&self.control)
            .header(CONTENT_TYPE, "text/xml; charset=\"utf-8\"")
            .header("SOAPAction", format!("\"{service}#{action}\""))
            .body(Full::new(Bytes::from(body)))
            .ok()
    }
}

/// The first router among those who answer.
async fn answers(socket: &UdpSocket, wait: Duration, binding: &Binding) -> Option<Router> {
    let mut datagram = [0; 2_048];
    loop {
        let (length, from) = timeout(wait, socket.recv_from(&mut datagram)).await.ok()?.ok()?;
        let Some(url) = location(&datagram[..length], from) else { continue };
        let IpAddr::V4(host) = from.ip() else { continue };
        let Some(ours) = ours_towards(binding, host).await else { continue };
        // Nothing is followed: a redirect would send us elsewhere.
        let Ok(request) = Request::get(&url).body(Full::default()) else { continue };
        let Ok(Ok(described)) = timeout(PATIENCE, http::call(binding, request, LONGEST)).await
        else {
            continue;
        };
        let text = String::from_utf8_lossy(&described.body);
        if let Some(router) = Router::described(&text, &url, ours) {
            return Some(router);
        }
    }
}

/// Where who answers is described: at his own address, or else somebody sends us elsewhere.
pub(super) fn location(datagram: &[u8], from: SocketAddr) -> Option<Uri> {
    let text = std::str::from_utf8(datagram).ok()?;
    let header =
        |line: &&str| line.get(..9).is_some_and(|name| name.eq_ignore_ascii_case("location:"));
    let url = http::parse(&text.lines().find(header)?[9..]).ok()?;
    let host = url.host()?.parse::<IpAddr>().ok()?;
    (url.scheme_str() == Some("http") && host == from.ip()).then_some(url)
}

/// The service that maps ports, and where it is told so.
fn service(description: &str) -> Option<(&str, &str)> {
    description.split("<service>").skip(1).find_map(|service| {
        let name = element(service, "serviceType")?.trim();
        let is_it =
            [":WANIPConnection:", ":WANPPPConnection:"].iter().any(|one| name.contains(one));
        // It becomes part of what we send.
        let is_plain =
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.".contains(&byte));
        (is_it && is_plain).then_some((name, element(service, "controlURL")?.trim()))
    })
}

/// The address that a router says is its own on the other side.
pub(super) fn external(answer: &str) -> Option<IpAddr> {
    element(answer, "NewExternalIPAddress")?.trim().parse().ok()
}

/// Why a router did not do what it was told; 0 if it does not say.
pub(super) fn code(answer: &str) -> u16 {
    element(answer, "errorCode").and_then(|code| code.trim().parse().ok()).unwrap_or(0)
}

/// The text of the first element of this name, which holds no others.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(inside, _)| inside)
}

fn outside(protocol: Protocol, port: u16) -> String {
    let protocol = match protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
    };
    format!(
        "<NewRemoteHost></NewRemoteHost><NewExternalPort>{port}</NewExternalPort>\
         <NewProtocol>{protocol}</NewProtocol>"
    )
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn description(control: &str) -> String {
        format!(
            "<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>\
             <controlURL>{control}</controlURL></service>"
        )
    }

    /// A server that says this to whoever comes.
    async fn server(head: &str, body: &str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1_024]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn a_description_that_lies_elsewhere_is_not_fetched() {
        let elsewhere = server("200 OK", &description("/elsewhere")).await;
        let away = server(&format!("302 Found\r\nLocation: http://{elsewhere}/"), "").await;
        let here = server("200 OK", &description("/here")).await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let router = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for host in [away, here] {
            let answer = format!("HTTP/1.1 200 OK\r\nLocation: http://{host}/root.xml\r\n\r\n");
            router.send_to(answer.as_bytes(), socket.local_addr().unwrap()).await.unwrap();
        }
        let found = answers(&socket, Duration::from_secs(60), &Binding::default()).await;
        assert_eq!(found.unwrap().control.path(), "/here");
    }

    #[test]
    fn a_router_is_described_at_its_own_address_alone() {
        let from = "192.0.2.1:1900".parse().unwrap();
        let at = |url: &str| {
            let answer = format!("HTTP/1.1 200 OK\r\nLocation: {url}\r\n\r\n");
            Some(location(answer.as_bytes(), from)?.to_string())
        };
        let good = "http://192.0.2.1:5000/rootDesc.xml";
        assert_eq!(at(good).as_deref(), Some(good));
        for url in ["http://192.0.2.2/x", "https://192.0.2.1/x", "http://router.example/x", "x", ""]
        {
            assert_eq!(at(url), None, "{url}");
        }
        let escaped = at("http://192.0.2.1/a\rb\u{1b}[2J");
        assert_eq!(escaped.as_deref(), Some("http://192.0.2.1/a%0Db%1B[2J"), "it is one URL");
        assert_eq!(location(b"\xff\xfe", from), None);
        assert_eq!(location("locatiön: http://192.0.2.1/".as_bytes(), from), None);
    }

    #[test]
    fn a_router_is_told_over_http_at_its_own_host_alone() {
        let url = http::parse("http://192.0.2.1:5000/rootDesc.xml").unwrap();
        let at = |control: &str| {
            let router = Router::described(&description(control), &url, Ipv4Addr::LOCALHOST)?;
            Some(router.control.to_string())
        };
        assert_eq!(at("/ctl").as_deref(), Some("http://192.0.2.1:5000/ctl"));
        assert_eq!(at("http://192.0.2.1:5001/ctl").as_deref(), Some("http://192.0.2.1:5001/ctl"));
        for elsewhere in ["http://192.0.2.2/ctl", "//192.0.2.2/ctl", "https://192.0.2.1/ctl"] {
            assert_eq!(at(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn the_service_that_maps_ports_is_found_among_others() {
        let text = "<root><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>\
            <controlURL>/ctl/L3F</controlURL></service><device><serviceList><service>\
            <serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType>\
            <controlURL> /ctl/IPConn </controlURL></service></serviceList></device></root>";
        let expected = ("urn:schemas-upnp-org:service:WANIPConnection:2", "/ctl/IPConn");
        assert_eq!(service(text), Some(expected));
        assert_eq!(
            service(
                "<service><serviceType>x:WANIPConnection:1\"</serviceType><controlURL>/</controlURL>"
            ),
            None
        );
        assert_eq!(service("<service>"), None);
        assert_eq!(element("<errorCode>718</errorCode>", "errorCode"), Some("718"));
    }
}
