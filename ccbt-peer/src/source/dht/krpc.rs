//! The messages of the DHT as bytes (BEP 5, with the keys of BEP 32, 42 and 43).

use std::net::{IpAddr, SocketAddr};

use ccbt_wire::InfoHash;
use ccbt_wire::bencode::{Dict, Owned, Value};

use super::id::NodeId;

/// Our name in messages.
const CLIENT: &[u8] = b"CC01";
/// Bytes of somebody's transaction id or token that we are ready to send back.
const LONGEST_ECHO: usize = 64;
/// Nodes or peers that one message may bring.
const MOST: usize = 256;

/// A node: its name and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) id: NodeId,
    pub(super) addr: SocketAddr,
}

/// What one node asks another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Query {
    Ping,
    FindNode { target: NodeId },
    GetPeers { info_hash: InfoHash },
    Announce { info_hash: InfoHash, port: u16, implied: bool, token: Vec<u8> },
}

/// What comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) nodes: Vec<Contact>,
    pub(super) peers: Vec<SocketAddr>,
    pub(super) token: Option<Vec<u8>>,
}

/// Of which address families nodes are to be named (BEP 32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) ipv4: bool,
    pub(super) ipv6: bool,
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) transaction: Vec<u8>,
    pub(super) body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// `query` is `None` if it is one that we do not know, or lacks something; `want` tells the families of
    /// nodes that the answer is to name, if it is not the asker's own (BEP 32).
    Query {
        id: NodeId,
        query: Option<Query>,
        read_only: bool,
        want: Option<Want>,
    },
    /// `seen_as` is the address that we have for the other side.
    Reply {
        id: NodeId,
        reply: Reply,
        seen_as: Option<IpAddr>,
    },
    Error,
}

/// Why a query is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Token,
    Unknown,
}

impl Message {
    /// Reads a datagram; `None` if it is no message of the DHT.
    pub(super) fn parse(datagram: &[u8]) -> Option<Self> {
        let message = Value::parse(datagram).ok()?.as_dict()?;
        let transaction = message.get("t")?.as_bytes()?;
        if transaction.len() > LONGEST_ECHO {
            return None;
        }
        let body = match message.get("y")?.as_bytes()? {
            b"q" => {
                let arguments = message.get("a")?.as_dict()?;
                let read_only = message.get("ro").and_then(|value| value.as_int()) == Some(1);
                let query = query(message.get("q")?.as_bytes()?, arguments);
                Body::Query { id: id(arguments, "id")?, query, read_only, want: want(arguments) }
            }
            b"r" => {
                let values = message.get("r")?.as_dict()?;
                let seen_as = message.get("ip").and_then(|value| address(value.as_bytes()?));
                let seen_as = seen_as.map(|addr| addr.ip());
                Body::Reply { id: id(values, "id")?, reply: reply(values), seen_as }
            }
            b"e" => Body::Error,
            _ => return None,
        };
        Some(Self { transaction: transaction.to_vec(), body })
    }
}

fn id(dict: Dict<'_>, key: &str) -> Option<NodeId> {
    Some(NodeId(dict.get(key)?.as_bytes()?.try_into().ok()?))
}

fn want(arguments: Dict<'_>) -> Option<Want> {
    let list = arguments.get("want")?.as_list()?;
    let wants = |name: &[u8]| list.iter().take(8).any(|value| value.as_bytes() == Some(name));
    Some(Want { ipv4: wants(b"n4"), ipv6: wants(b"n6") })
}

fn query(name: &[u8], arguments: Dict<'_>) -> Option<Query> {
    let info_hash = || Some(InfoHash(id(arguments, "info_hash")?.0));
    Some(match name {
        b"ping" => Query::Ping,
        b"find_node" => Query::FindNode { target: id(arguments, "target")? },
        b"get_peers" => Query::GetPeers { info_hash: info_hash()? },
        b"announce_peer" => {
            let number = |key| arguments.get(key).and_then(|value| value.as_int());
            let implied = number("implied_port").is_some_and(|implied| implied != 0);
            let port = u16::try_from(number("port").unwrap_or(0)).ok()?;
            let token = arguments.get("token")?.as_bytes()?.to_vec();
            Query::Announce { info_hash: info_hash()?, port, implied, token }
        }
        _ => return None,
    })
}

fn reply(values: Dict<'_>) -> Reply {
    let bytes = |key| values.get(key).and_then(|value| value.as_bytes()).unwrap_or_default();
    let nodes = bytes("nodes").chunks_exact(26).chain(bytes("nodes6").chunks_exact(38));
    let nodes = nodes.filter_map(contact).take(MOST).collect();
    let peers = values.get("values").and_then(|value| value.as_list());
    let peers = peers.into_iter().flatten().filter_map(|peer| address(peer.as_bytes()?));
    let token = values.get("token").and_then(|value| value.as_bytes());
    let token = token.filter(|token| token.len() <= LONGEST_ECHO).map(<[u8]>::to_vec);
    Reply { nodes, peers: peers.take(MOST).collect(), token }
}

fn contact(bytes: &[u8]) -> Option<Contact> {
    let (id, addr) = bytes.split_first_chunk::<20>()?;
    Some(Contact { id: NodeId(*id), addr: address(addr)? })
}

/// Address and port in 6 or 18 bytes.
fn address(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk::<2>()?;
    let ip = match ip.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(ip).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(ip).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(*port)))
}

fn compact(addr: SocketAddr) -> Vec<u8> {
    let mut bytes = match addr.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    bytes.extend(addr.port().to_be_bytes());
    bytes
}

fn text(bytes: &[u8]) -> Owned {
    Owned::Bytes(bytes.to_vec())
}

/// A query of ours as a datagram. Who is asked for nodes or peers is asked for nodes of both families.
pub(super) fn ask(transaction: u16, ours: NodeId, query: &Query, read_only: bool) -> Vec<u8> {
    let mut arguments = vec![("id", text(&ours.0))];
    let name: &[u8] = match query {
        Query::Ping => b"ping",
        Query::FindNode { target } => {
            arguments.push(("target", text(&target.0)));
            b"find_node"
        }
        Query::GetPeers { info_hash } => {
            arguments.push(("info_hash", text(&info_hash.0)));
            b"get_peers"
        }
        Query::Announce { info_hash, port, implied, token } => {
            arguments.push(("info_hash", text(&info_hash.0)));
            arguments.push(("port", Owned::Int((*port).into())));
            arguments.push(("implied_port", Owned::Int((*implied).into())));
            arguments.push(("token", text(token)));
            b"announce_peer"
        }
    };
    if matches!(query, Query::FindNode { .. } | Query::GetPeers { .. }) {
        arguments.push(("want", Owned::List(vec![text(b"n4"), text(b"n6")])));
    }
    let mut message = vec![
        ("a", Owned::dict(arguments)),
        ("q", text(name)),
        ("t", text(&transaction.to_be_bytes())),
        ("v", text(CLIENT)),
        ("y", text(b"q")),
    ];
    if read_only {
        message.push(("ro", Owned::Int(1)));
    }
    Owned::dict(message).encode()
}

/// A reply of ours to whoever asked from `to`.
pub(super) fn answer(transaction: &[u8], ours: NodeId, to: SocketAddr, reply: &Reply) -> Vec<u8> {
    let mut values = vec![("id", text(&ours.0))];
    for (key, is_ipv4) in [("nodes", true), ("nodes6", false)] {
        let nodes = reply.nodes.iter().filter(|node| node.addr.is_ipv4() == is_ipv4);
        let nodes: Vec<u8> =
            nodes.flat_map(|node| node.id.0.into_iter().chain(compact(node.addr))).collect();
        if !nodes.is_empty() {
            values.push((key, Owned::Bytes(nodes)));
        }
    }
    if !reply.peers.is_empty() {
        let peers = reply.peers.iter().map(|peer| Owned::Bytes(compact(*peer)));
        values.push(("values", Owned::List(peers.collect())));
    }
    if let Some(token) = &reply.token {
        values.push(("token", text(token)));
    }
    Owned::dict([
        ("ip", Owned::Bytes(compact(to))),
        ("r", Owned::dict(values)),
        ("t", text(transaction)),
        ("v", text(CLIENT)),
        ("y", text(b"r")),
    ])
    .encode()
}

/// The word that a query is not answered.
pub(super) fn refuse(transaction: &[u8], fault: Fault) -> Vec<u8> {
    let (code, why): (i64, &[u8]) = match fault {
        Fault::Token => (203, b"bad token"),
        Fault::Unknown => (204, b"method unknown"),
    };
    Owned::dict([
        ("e", Owned::List(vec![Owned::Int(code), text(why)])),
        ("t", text(transaction)),
        ("v", text(CLIENT)),
        ("y", text(b"e")),
    ])
    .encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: NodeId = NodeId(*b"abcdefghij0123456789");
    const HASH: InfoHash = InfoHash(*b"mnopqrstuvwxyz123456");

    fn body(datagram: &[u8]) -> Option<Body> {
        Message::parse(datagram).map(|message| message.body)
    }

    #[test]
    fn the_queries_of_the_bep_are_understood() {
        for (datagram, expected) in [
            (&b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"[..], Some(Query::Ping)),
            (
                b"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe",
                Some(Query::FindNode { target: NodeId(HASH.0) }),
            ),
            (
                b"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe",
                Some(Query::GetPeers { info_hash: HASH }),
            ),
            (
                b"d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
                Some(Query::Announce { info_hash: HASH, port: 6881, implied: true, token: b"aoeusnth".to_vec() }),
            ),
            (b"d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:y1:qe", None),
        ] {
            let query = Body::Query { id: ID, query: expected, read_only: false, want: None };
            assert_eq!(body(datagram), Some(query), "{}", datagram.escape_ascii());
        }
    }

    #[test]
    fn what_is_asked_and_answered_is_understood() {
        let peers = vec!["10.0.0.1:5".parse().unwrap(), "[2001:db8::7]:6".parse().unwrap()];
        for to in ["192.0.2.1:7", "[2001:db8::1]:7"] {
            let to: SocketAddr = to.parse().unwrap();
            let nodes = vec![Contact { id: NodeId([7; 20]), addr: to }];
            let reply = Reply { nodes, peers: peers.clone(), token: Some(b"token".to_vec()) };
            let parsed = Message::parse(&answer(b"tt", ID, to, &reply)).unwrap();
            assert_eq!(parsed.transaction, b"tt");
            assert_eq!(parsed.body, Body::Reply { id: ID, reply, seen_as: Some(to.ip()) });
        }
        let announce =
            Query::Announce { info_hash: HASH, port: 9, implied: false, token: b"t".to_vec() };
        for query in [Query::Ping, Query::GetPeers { info_hash: HASH }, announce] {
            let parsed = Message::parse(&ask(0x6161, ID, &query, true)).unwrap();
            assert_eq!(parsed.transaction, b"aa");
            let both = Want { ipv4: true, ipv6: true };
            let want = matches!(query, Query::GetPeers { .. }).then_some(both);
            let query = Body::Query { id: ID, query: Some(query), read_only: true, want };
            assert_eq!(parsed.body, query);
        }
        assert_eq!(body(&refuse(b"aa", Fault::Token)), Some(Body::Error));
    }

    #[test]
    fn nonsense_is_no_message_and_half_entries_are_left_out() {
        for datagram in [
            &b""[..],
            b"d1:t2:aa1:y1:re",
            b"d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe",
            b"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:xe",
            b"llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll",
        ] {
            assert_eq!(Message::parse(datagram), None, "{}", datagram.escape_ascii());
        }
        let long =
            [b"d1:rd2:id20:abcdefghij0123456789e1:t65:", &[b'x'; 65][..], b"1:y1:re"].concat();
        assert_eq!(Message::parse(&long), None);
        let half =
            b"d1:rd2:id20:abcdefghij01234567895:nodes3:abc6:valuesl5:abcdei7eee1:t2:aa1:y1:re";
        let Some(Body::Reply { reply, .. }) = body(half) else { panic!("no reply") };
        assert_eq!(reply, Reply::default());
    }
}
