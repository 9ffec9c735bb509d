//! Peers that keep to the protocol and are worth nothing, or not enough, or not yet.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ccbt_peer::wire::{Bitfield, Block, InfoHash, Message, Metainfo, PeerId, PieceIndex};
use ccbt_peer::{Connection, ConnectionOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::cast::Role;

/// How often the chatterer says that it is alive.
const CHATTER: Duration = Duration::from_millis(200);

/// All scripted peers; they leave when this is dropped.
pub(super) struct DeadWeight {
    script: Arc<Script>,
    tasks: JoinSet<()>,
}

/// What a scripted peer knows.
struct Script {
    info_hash: InfoHash,
    pieces: u32,
    piece_length: u64,
    payload: Bytes,
}

impl DeadWeight {
    pub(super) fn new(metainfo: &Metainfo, payload: &[u8]) -> Self {
        let script = Script {
            info_hash: metainfo.info_hash(),
            pieces: metainfo.piece_count(),
            piece_length: metainfo.piece_length().into(),
            payload: Bytes::copy_from_slice(payload),
        };
        Self { script: Arc::new(script), tasks: JoinSet::new() }
    }

    /// A peer with this role waits for us here.
    pub(super) fn add(&mut self, role: Role, listener: TcpListener) {
        let script = self.script.clone();
        self.tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Being dropped is what these peers are for.
                let _ = script.play(role, stream, peer_id(&listener)).await;
            }
        });
    }
}

impl Script {
    async fn play(&self, role: Role, stream: TcpStream, peer_id: PeerId) -> Option<()> {
        let options = ConnectionOptions::new(self.info_hash, peer_id);
        let mut peer = Connection::accept(stream, options).await.ok()?;
        for message in self.opening(role) {
            peer.send(message).await.ok()?;
        }
        let mut chatter = interval(CHATTER);
        chatter.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                message = peer.next() => message?.ok()?,
                _ = chatter.tick(), if role == Role::Chatter => {
                    peer.send(Message::KeepAlive).await.ok()?;
                    continue;
                }
            };
            if let Message::Request(block) = message {
                peer.send(self.block(block)?).await.ok()?;
            }
        }
    }

    /// What it says first.
    fn opening(&self, role: Role) -> Vec<Message> {
        let mut have = Bitfield::new(self.pieces);
        let said = |have: &Bitfield| Message::Bitfield(Bytes::copy_from_slice(have.as_bytes()));
        match role {
            Role::Mute | Role::Chatter => Vec::new(),
            Role::Empty => vec![said(&have)],
            Role::Choking | Role::Seed => vec![said(&Bitfield::full(self.pieces))],
            Role::Spent { first } => {
                have.set(PieceIndex(first), true);
                have.set(PieceIndex(first + 1), true);
                vec![said(&have), Message::Unchoke]
            }
        }
    }

    /// The answer to a request; `None` if there is no such block.
    fn block(&self, Block { piece, begin, length }: Block) -> Option<Message> {
        let from =
            usize::try_from(u64::from(piece.0) * self.piece_length + u64::from(begin)).ok()?;
        let to = from.checked_add(length as usize)?;
        let data = (to <= self.payload.len()).then(|| self.payload.slice(from..to))?;
        Some(Message::Piece { piece, begin, data })
    }
}

/// An id that no two peers of the demo share.
fn peer_id(listener: &TcpListener) -> PeerId {
    let port = listener.local_addr().map_or(0, |addr| addr.port());
    let mut id = *b"-CC0000-demo00000000";
    id[15..].copy_from_slice(format!("{port:05}").as_bytes());
    PeerId(id)
}
