//! The web seeds of one address as a peer: it has everything, chokes nobody, and fetches what it is asked for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ccbt_wire::{Block, EXTENDED_HANDSHAKE, ExtensionHandshake, Message, PeerId, Reserved};
use tokio::io::{AsyncWrite, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Failure, Seed, Site};
use crate::source::http::HttpError;
use crate::{Connection, ConnectionOptions, Writer};

/// Requests that are under way at once: while one is answered the next is on its way.
const LANES: usize = 2;
/// One request asks for no more.
const LONGEST_RUN: u64 = 4 << 20;
/// Blocks that wait to be sent on.
const WAITING: usize = 4;
/// Requests that wait; what is asked for beyond them is refused.
const MOST_REQUESTS: usize = 2000;
const KEEP_ALIVE: Duration = Duration::from_secs(100);

/// One connection to the swarm.
pub(super) struct Peer<W> {
    site: Arc<Site>,
    /// The one that is asked.
    seed: Arc<Seed>,
    /// Those that failed; the last one ends the connection.
    failed: Vec<Arc<Seed>>,
    writer: Writer<W>,
    asked: VecDeque<Block>,
    fetches: JoinSet<Result<(), Broken>>,
    blocks: (mpsc::Sender<Message>, mpsc::Receiver<Message>),
}

/// A request that came to nothing, or to a part of what it was for.
struct Broken {
    seed: Arc<Seed>,
    /// Blocks that are still to be fetched.
    rest: Vec<Block>,
    error: HttpError,
}

impl Peer<()> {
    /// Serves the swarm at the other end until that goes away, or the last of the site's seeds fails.
    pub(super) async fn run(site: Arc<Site>, stream: DuplexStream) {
        let Some(seed) = site.next(&[]) else { return };
        // One that names no client, so that its own name counts.
        let mut id = [0; 20];
        fastrand::fill(&mut id[1..]);
        let metainfo = seed.layout.metainfo();
        let options = ConnectionOptions::new(metainfo.info_hash(), PeerId(id))
            .reserved(Reserved::NONE.with_fast().with_extended())
            .pieces(metainfo.piece_count());
        let Ok(connection) = Connection::accept(stream, options).await else { return };
        let (mut reader, writer) = connection.split();
        let blocks = mpsc::channel(WAITING);
        let fetches = JoinSet::new();
        let (failed, asked) = (Vec::new(), VecDeque::new());
        let mut peer = Peer { site, seed, failed, writer, asked, fetches, blocks };
        if peer.introduce().await.is_err() {
            return;
        }
        loop {
            peer.fetch();
            // Everything here can be dropped while it waits.
            let done = tokio::select! {
                message = reader.next() => match message {
                    Some(Ok(message)) => peer.on_message(message).await,
                    _ => return,
                },
                Some(block) = peer.blocks.1.recv() => peer.writer.send(block).await,
                Some(fetched) = peer.fetches.join_next() => match fetched {
                    Ok(Err(broken)) => match peer.give_way(broken) {
                        Some(true) => peer.say_who().await,
                        Some(false) => Ok(()),
                        None => return,
                    },
                    _ => Ok(()),
                },
                () = sleep(KEEP_ALIVE) => peer.writer.send(Message::KeepAlive).await,
            };
            if done.is_err() {
                return;
            }
        }
    }
}

impl<W: AsyncWrite + Unpin> Peer<W> {
    async fn introduce(&mut self) -> std::io::Result<()> {
        self.say_who().await?;
        self.writer.send(Message::HaveAll).await?;
        self.writer.send(Message::Unchoke).await
    }

    /// Who is asked from now on; a later word replaces the one before (BEP 10).
    async fn say_who(&mut self) -> std::io::Result<()> {
        let handshake = ExtensionHandshake {
            v: Some(format!("web seed {}", self.seed.layout.base())),
            reqq: u32::try_from(MOST_REQUESTS).ok(),
            upload_only: Some(true),
            ..ExtensionHandshake::default()
        };
        let payload = handshake.encode().into();
        self.writer.send(Message::Extended { id: EXTENDED_HANDSHAKE, payload }).await
    }

    async fn on_message(&mut self, message: Message) -> std::io::Result<()> {
        match message {
            Message::Request(block) => {
                if self.asked.len() < MOST_REQUESTS && self.seed.layout.metainfo().contains(block) {
                    self.asked.push_back(block);
                    return Ok(());
                }
                self.writer.send(Message::Reject(block)).await
            }
            Message::Cancel(block) => {
                // What is on its way is sent.
                let Some(at) = self.asked.iter().position(|asked| *asked == block) else {
                    return Ok(());
                };
                self.asked.remove(at);
                self.writer.send(Message::Reject(block)).await
            }
            _ => Ok(()),
        }
    }

    /// Starts the next requests, if there is something to fetch and a lane for it.
    fn fetch(&mut self) {
        while self.fetches.len() < LANES
            && let Some(run) = self.next_run()
        {
            let (seed, out) = (Arc::clone(&self.seed), self.blocks.0.clone());
            self.fetches.spawn(seed.fetch(run, out));
        }
    }

    /// The block that was asked for first, and those that lie behind it.
    fn next_run(&mut self) -> Option<Vec<Block>> {
        let first = self.asked.pop_front()?;
        let mut run = vec![first];
        let begin = self.seed.offset(first);
        let mut end = begin + u64::from(first.length);
        while end - begin < LONGEST_RUN
            && let Some(at) = self.asked.iter().position(|block| self.seed.offset(*block) == end)
            && let Some(next) = self.asked.remove(at)
        {
            end += u64::from(next.length);
            run.push(next);
        }
        Some(run)
    }

    /// The next one takes over what the one that failed was to bring. Whether that is another one than before;
    /// `None` if there is none.
    fn give_way(&mut self, broken: Broken) -> Option<bool> {
        broken.rest.into_iter().rev().for_each(|block| self.asked.push_front(block));
        if !Arc::ptr_eq(&broken.seed, &self.seed) {
            // Another request of it told that already.
            return Some(false);
        }
        broken.seed.fail(&broken.error);
        self.site.put_last(&broken.seed);
        self.failed.push(broken.seed);
        self.seed = self.site.next(&self.failed)?;
        Some(true)
    }
}

impl Seed {
    /// Where a block begins in the payload.
    fn offset(&self, block: Block) -> u64 {
        self.layout.metainfo().piece_offset(block.piece) + u64::from(block.begin)
    }

    fn fail(&self, error: &HttpError) {
        let failure = Failure { url: self.layout.base().to_owned(), error: error.to_string() };
        // The first ones say enough.
        let _ = self.failures.try_send(failure);
    }

    /// Fetches blocks that lie one behind the other.
    async fn fetch(
        self: Arc<Self>,
        run: Vec<Block>,
        out: mpsc::Sender<Message>,
    ) -> Result<(), Broken> {
        let mut sent = 0;
        match self.bring(&run, &mut sent, &out).await {
            Ok(()) => Ok(()),
            Err(error) => Err(Broken { seed: self, rest: run[sent..].to_vec(), error }),
        }
    }

    /// Hands blocks on one by one, and counts them.
    async fn bring(
        &self,
        run: &[Block],
        sent: &mut usize,
        out: &mpsc::Sender<Message>,
    ) -> Result<(), HttpError> {
        let Some(first) = run.first() else { return Ok(()) };
        let length = run.iter().map(|block| u64::from(block.length)).sum();
        let mut bytes = BytesMut::new();
        for span in self.layout.spans(self.offset(*first), length) {
            let mut part = match self.layout.uri(span)? {
                Some(uri) => Some(self.ranges.open(&uri, span.first, span.length).await?),
                None => None,
            };
            let mut zeros = span.length;
            loop {
                let data = match &mut part {
                    Some(part) => part.next().await?,
                    None => next_zeros(&mut zeros),
                };
                let Some(data) = data else { break };
                bytes.extend_from_slice(&data);
                while let Some(block) = run.get(*sent)
                    && bytes.len() >= block.length as usize
                {
                    let data = bytes.split_to(block.length as usize).freeze();
                    let Block { piece, begin, .. } = *block;
                    if out.send(Message::Piece { piece, begin, data }).await.is_err() {
                        return Ok(());
                    }
                    *sent += 1;
                }
            }
        }
        Ok(())
    }
}

/// The next of so many zeros.
fn next_zeros(left: &mut u64) -> Option<Bytes> {
    const ZEROS: &[u8] = &[0; 4 << 10];
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(ZEROS.len());
    *left -= length as u64;
    (length > 0).then(|| Bytes::from_static(&ZEROS[..length]))
}
