//! What the downloads of one command share.

use ccbt_peer::wire::Metainfo;
use ccbt_peer::{Choice, Node, SwarmBuilder};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::claims::Claims;
use crate::args::Get;
use crate::events::About;
use crate::exit::{Exit, Failure};
use crate::network::Setup;
use crate::signals::Signals;

/// The way into the network, the folder, and who is checked first.
pub(super) struct Company<'a> {
    pub(super) args: &'a Get,
    pub(super) setup: Setup<'a>,
    /// Where all of them listen.
    node: Option<Node>,
    /// How many torrents there are.
    torrents: usize,
    claims: Claims,
    /// One reads the disk at a time.
    disk: Semaphore,
}

impl<'a> Company<'a> {
    /// For one torrent.
    pub(super) fn alone(args: &'a Get, setup: Setup<'a>) -> Self {
        let (claims, disk) = (Claims::default(), Semaphore::new(1));
        Self { args, setup, node: None, torrents: 1, claims, disk }
    }

    /// For so many on one port.
    pub(super) fn of(args: &'a Get, setup: Setup<'a>, torrents: usize, node: Node) -> Self {
        Self { node: Some(node), torrents, ..Self::alone(args, setup) }
    }

    pub(super) fn has_several(&self) -> bool {
        self.node.is_some()
    }

    /// How events name this torrent.
    pub(super) fn about(&self, metainfo: &Metainfo) -> About {
        if self.has_several() {
            About::one_of(self.torrents, metainfo)
        } else {
            About::only(metainfo)
        }
    }

    /// The swarm, where others connect to it.
    pub(super) fn listen(&self, swarm: SwarmBuilder) -> SwarmBuilder {
        match &self.node {
            Some(node) => swarm.node(node),
            None => swarm.listen(self.args.network.contact.listen),
        }
    }

    /// Takes the torrent's place in the folder.
    ///
    /// # Errors
    /// If files of another torrent of this command would lie there.
    pub(super) fn claim(&self, metainfo: &Metainfo, choice: &Choice) -> Result<(), Failure> {
        self.claims.take(metainfo, choice, &self.args.output)
    }

    /// Waits until no other torrent is checked.
    ///
    /// # Errors
    /// A signal.
    pub(super) async fn turn(&self, signals: &mut Signals) -> Result<SemaphorePermit<'_>, Failure> {
        let turn = signals.guard(self.disk.acquire()).await?;
        turn.map_err(Failure::of(Exit::Failed, "the turn to check"))
    }
}
