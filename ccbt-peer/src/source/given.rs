//! Peers that the person named.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use ccbt_policy::Source;
use tokio::task::JoinSet;

use super::{PeerSource, SourceContext};

const FIRST_RETRY: Duration = Duration::from_secs(30);
const LONGEST_RETRY: Duration = Duration::from_secs(10 * 60);

/// Given addresses, and names that are looked up.
///
/// Addresses are delivered once, at once: the swarm itself tries given peers again when they are lost.
/// A name that cannot be looked up is reported, and tried again after 30 s, then after twice as long
/// each time, up to 10 min. Every address of a name is delivered.
#[derive(Clone, Debug, Default)]
pub struct Given {
    addresses: Vec<SocketAddr>,
    names: Vec<String>,
}

impl Given {
    /// Peers by their addresses.
    #[must_use]
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self { addresses: addresses.into_iter().collect(), names: Vec::new() }
    }

    /// Peers as `HOST:PORT`; the host is a name or an address, IPv6 ones in brackets.
    #[must_use]
    pub fn hosts(hosts: Vec<String>) -> Self {
        let mut given = Self::default();
        for host in hosts {
            match host.parse() {
                Ok(address) => given.addresses.push(address),
                Err(_) => given.names.push(host),
            }
        }
        given
    }

    async fn run_with<L, F>(self, context: SourceContext, look_up: L)
    where
        L: Fn(String) -> F + Send,
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        if !self.addresses.is_empty() {
            context.found(self.addresses, None).await;
        }
        let mut names = self.names;
        let mut retry = FIRST_RETRY;
        while !names.is_empty() {
            let mut lookups = JoinSet::new();
            for name in names.drain(..) {
                let lookup = look_up(name.clone());
                lookups.spawn(async move { (name, lookup.await) });
            }
            loop {
                let next = tokio::select! {
                    next = lookups.join_next() => next,
                    () = context.stopped() => return,
                };
                match next {
                    None => break,
                    Some(Ok((_, Ok(addresses)))) if !addresses.is_empty() => {
                        context.found(addresses, None).await;
                    }
                    Some(Ok((name, result))) => {
                        let error =
                            result.err().map_or("no address".into(), |error| error.to_string());
                        context.failed(format!("{name}: {error}")).await;
                        names.push(name);
                    }
                    // A look-up that was cut off tells nothing; the runtime is going down.
                    Some(Err(_)) => (),
                }
            }
            if !names.is_empty() && !context.pause(retry).await {
                return;
            }
            retry = (retry * 2).min(LONGEST_RETRY);
        }
        context.stopped().await;
    }
}

#[async_trait]
impl PeerSource for Given {
    fn name(&self) -> String {
        "given".into()
    }

    fn kind(&self) -> Source {
        Source::Given
    }

    async fn run(self: Box<Self>, context: SourceContext) {
        let look_up = async |name: String| Ok(tokio::net::lookup_host(name).await?.collect());
        self.run_with(context, look_up).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::source::fixtures::Swarm;

    fn address(port: u16) -> SocketAddr {
        ([10, 0, 0, 1], port).into()
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_come_at_once_and_names_are_tried_again_until_they_are_found() {
        let mut swarm = Swarm::new("given", Source::Given);
        let hosts = ["10.0.0.1:1", "good.example:2", "late.example:3"].map(str::to_owned);
        let given = Given::hosts(hosts.to_vec());
        let tries = Arc::new(Mutex::new(Vec::new()));
        let clock = swarm.clock();
        let look_up = {
            let tries = Arc::clone(&tries);
            move |name: String| {
                let mut tries = tries.lock().unwrap();
                if name.starts_with("late") {
                    tries.push(clock.seconds());
                }
                let found = name.starts_with("good") || tries.len() == 8;
                let port = if name.starts_with("good") { 2 } else { 3 };
                let result = if found {
                    Ok(vec![address(port)])
                } else {
                    Err(io::Error::other("no such name"))
                };
                std::future::ready(result)
            }
        };
        let task = tokio::spawn(given.run_with(swarm.context(), look_up));
        assert_eq!(swarm.next().await, Ok(vec![address(1)]));
        let mut others = [swarm.next().await, swarm.next().await];
        others.sort_by_key(Result::is_err);
        assert_eq!(others, [Ok(vec![address(2)]), Err("late.example:3: no such name".into())]);
        for _ in 0..6 {
            assert!(swarm.next().await.is_err());
        }
        assert_eq!(swarm.next().await, Ok(vec![address(3)]));
        assert_eq!(*tries.lock().unwrap(), [0, 30, 90, 210, 450, 930, 1530, 2130]);
        swarm.stop();
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait_for_a_name() {
        let swarm = Swarm::new("given", Source::Given);
        let given = Given::hosts(vec!["slow.example:1".into()]);
        let task = tokio::spawn(given.run_with(swarm.context(), |_| std::future::pending()));
        swarm.stop();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn names_are_looked_up_by_the_system() {
        let mut swarm = Swarm::new("given", Source::Given);
        let given = Box::new(Given::hosts(vec!["localhost:7".into()]));
        let task = tokio::spawn(given.run(swarm.context()));
        let found = swarm.next().await.unwrap();
        assert!(found.iter().all(|peer| peer.ip().is_loopback() && peer.port() == 7));
        swarm.stop();
        task.await.unwrap();
    }
}
