//! A node that is told anything by anybody: what the fuzzer does with it.

use super::*;

/// Hosts in both networks, public ones and local ones.
const HOSTS: [&str; 6] = [
    "192.0.2.1:6881",
    "192.0.2.2:6881",
    "10.0.0.7:1",
    "[2001:db8::1]:6881",
    "[2001:db8::2]:6881",
    "127.0.0.1:6881",
];
/// Most datagrams that follow from one input: an answer, and what the searches have waited to ask.
const MOST_SENT: usize = 600;
/// Nodes that a table can hold: eight for each bit of a name, in two networks.
const MOST_NODES: usize = 2 * 160 * BUCKET;

/// Datagrams, each behind three bytes that say from whom it comes, what it is and how long it is.
///
/// # Panics
/// If what is sent or remembered has no bound, if a deadline is never over, or if we send what we cannot read.
#[cfg_attr(not(fuzzing), allow(unreachable_pub, reason = "the fuzzer calls it from outside"))]
pub fn dht_node(mut input: &[u8]) {
    let hosts: Vec<SocketAddr> =
        HOSTS.iter().filter_map(|host| host.parse::<SocketAddr>().ok()).collect();
    let mut now = Time::ZERO;
    let mut core = Core::new(now, (true, true), Duration::from_secs(60), 1);
    core.say(now, &hosts[..4]);
    let search = core.look_up(now, InfoHash([9; 20]), Some(6881));
    let mut waiting: Vec<(SocketAddr, Vec<u8>)> = drain(&mut core);
    while let Some((&[who, what, length], rest)) = input.split_first_chunk::<3>() {
        let (datagram, rest) = rest.split_at(rest.len().min(length.into()));
        input = rest;
        let from = hosts[usize::from(who) % hosts.len()];
        match what % 8 {
            0 | 1 => core.handle(now, from, datagram),
            // A reply to something that we asked, with the rest as the asked one says it.
            2..=5 if !waiting.is_empty() => {
                let (to, query) = waiting.swap_remove(usize::from(what) % waiting.len());
                let Some(asked) = Message::parse(&query) else { panic!("we sent nonsense") };
                let values = [b"d1:rd2:id20:ccbtccbtccbtccbtccbt", datagram, b"e1:t2:"].concat();
                let reply = [&values[..], &asked.transaction, b"1:y1:re"].concat();
                core.handle(now, to, &reply);
            }
            6 => core.say(now, &[from]),
            _ => {
                now = now + Duration::from_millis(u64::from(who) * 100);
                pass(&mut core, now);
            }
        }
        let sent = drain(&mut core);
        assert!(sent.len() <= MOST_SENT, "{} datagrams at once", sent.len());
        waiting.extend(sent);
        let old = waiting.len().saturating_sub(256);
        waiting.drain(..old);
        assert!(core.node_count() <= MOST_NODES && core.said.len() <= SAID);
        for news in std::iter::from_fn(|| core.poll_news()) {
            let News::Peers(key, peers) = news else { continue };
            assert_eq!(key, search);
            assert!(peers.iter().all(|peer| peer.port() != 0 && !peer.ip().is_multicast()));
        }
    }
    // Whatever it was told, a search is over when nobody answers any more.
    pass(&mut core, now + Duration::from_secs(120));
    assert!(!core.searches.values().any(|running| running.key() == Some(search)));
}

fn drain(core: &mut Core) -> Vec<(SocketAddr, Vec<u8>)> {
    let sent: Vec<_> = std::iter::from_fn(|| core.poll_send()).collect();
    for (_, datagram) in &sent {
        assert!(Message::parse(datagram).is_some(), "{}", datagram.escape_ascii());
        assert!(datagram.len() <= 1472, "{} bytes are cut on their way", datagram.len());
    }
    sent.into_iter().filter(|(_, datagram)| datagram.ends_with(b"1:qe")).collect()
}

fn pass(core: &mut Core, end: Time) {
    let mut at_once = (Time::ZERO, 0);
    while core.deadline() <= end {
        let due = core.deadline();
        core.on_deadline(due);
        core.out.clear();
        at_once = if at_once.0 == due { (due, at_once.1 + 1) } else { (due, 0) };
        assert!(at_once.1 < 4, "a deadline is never over");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::replay;

    #[test]
    fn the_corpus_of_dht_nodes_does_no_harm() {
        replay("dht_node", dht_node);
    }
}
