//! Scripted peers that wait to be dialed.

use std::net::SocketAddr;
use std::sync::mpsc;

use bytes::Bytes;
use ccbt_peer::wire::{Bitfield, Message, Metainfo, PeerId};
use ccbt_peer::{Connection, ConnectionOptions};

use super::Stage;

/// A peer that is dialed and never unchokes anybody.
pub(crate) struct Listening {
    pub(crate) addr: SocketAddr,
    met: mpsc::Receiver<()>,
}

impl Listening {
    /// Comes back when a handshake is done.
    pub(crate) fn meet(&self) {
        self.met.recv().expect("somebody dials");
    }
}

impl Stage {
    /// A peer with such an id that tells what it has, or nothing at all, and only listens then.
    pub(crate) fn listening(&self, id: u8, have: Option<Bitfield>) -> Listening {
        let metainfo = Metainfo::parse(&self.metainfo_bytes(None)).expect("a torrent");
        let listener = self.listen();
        let addr = listener.local_addr().expect("an address");
        let (tell, met) = mpsc::channel();
        self.runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let options = ConnectionOptions::new(metainfo.info_hash(), PeerId([id; 20]));
                let Ok(mut peer) = Connection::accept(stream, options).await else { continue };
                if let Some(have) = &have {
                    let told = Message::Bitfield(Bytes::copy_from_slice(have.as_bytes()));
                    let _ = peer.send(told).await;
                }
                let _ = tell.send(());
                while let Some(Ok(_)) = peer.next().await {}
            }
        });
        Listening { addr, met }
    }

    /// An address at which nobody is.
    pub(crate) fn nobody(&self) -> SocketAddr {
        self.listen().local_addr().expect("an address")
    }
}
