//! From bytes to messages and blocks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ccbt_wire::{Block, Decoder, Item, Limits, PieceIndex};
use tokio::sync::mpsc::error::TrySendError;

use super::assembly::{self, Added, Complete, Landing};
use super::writer::Job;
use super::{Data, Report, Shared};
use crate::CloseReason;
use crate::close::Violation;
use crate::session::{Session, SessionEvent};
use crate::swarm::{PeerKey, Print};

/// A writer that is busy frees a buffer within this, or it is not the writer that holds them.
const PATIENCE: Duration = Duration::from_millis(50);

/// The receiving end of a connection after its handshake.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) key: PeerKey,
    pub(super) shared: Arc<Shared>,
    pub(super) decoder: Decoder,
    /// The block that is arriving.
    pub(super) landing: Option<Arriving>,
    /// Assemblies in which this connection holds claims.
    pub(super) claimed: Vec<(PieceIndex, assembly::Shared)>,
    pub(super) events: Vec<SessionEvent>,
    /// What is to be done besides; most of the time nothing.
    work: Option<Box<Work>>,
}

/// What is reported behind the events, or given to the writer.
#[derive(Debug, Default)]
struct Work {
    /// Blocks of pieces that are not kept in memory.
    loose: Vec<(assembly::Shared, Block, Bytes)>,
    jobs: Vec<Job>,
    /// What the blocks of suspect pieces were; reported before what became of them.
    prints: Vec<(PieceIndex, Vec<Print>)>,
    /// Pieces that came whole with a wrong hash.
    failed: Vec<PieceIndex>,
}

/// A block that is arriving.
#[derive(Debug)]
pub(super) struct Arriving {
    pub(super) block: Block,
    /// Bytes of it that are here.
    pub(super) got: u32,
    pub(super) place: Landed,
}

/// Where its bytes go.
#[derive(Debug)]
pub(super) enum Landed {
    Buffer(assembly::Shared),
    Aside(assembly::Shared, Vec<u8>),
    Waste,
}

/// Events that go to the swarm in one report. The queue of reports is bounded in number, so a report has to
/// be bounded in size.
const EVENTS: usize = 128;

/// Whether a slice of input could be taken in whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    All,
    /// The next block waits for a piece buffer.
    NoBuffer,
    /// There is enough to report.
    Enough,
}

/// Bytes of a message that is neither a block nor a bitfield: metadata comes in 16 KiB, peers by the hundred.
const MESSAGE: u32 = 128 << 10;

impl Receiver {
    pub(super) fn new(key: PeerKey, shared: Arc<Shared>) -> Self {
        let limits = limits(&shared);
        Self {
            key,
            shared,
            decoder: Decoder::new(limits),
            landing: None,
            claimed: Vec::new(),
            events: Vec::new(),
            work: None,
        }
    }

    /// The metadata is known now.
    pub(super) fn learn(&mut self, session: &mut Session) -> Result<(), CloseReason> {
        self.decoder.set_limits(limits(&self.shared));
        session.learn_metadata(&mut self.events)
    }

    /// Takes in `input`. If it stops before the end, the rest is left in `input`.
    pub(super) fn feed(
        &mut self,
        session: &mut Session,
        input: &mut &[u8],
    ) -> Result<Fed, CloseReason> {
        let now = self.shared.clock.now();
        loop {
            if self.events.len() >= EVENTS {
                return Ok(Fed::Enough);
            }
            if let Some(arriving) = &mut self.landing {
                let take = input.len().min((arriving.block.length - arriving.got) as usize);
                let (bytes, rest) = input.split_at(take);
                *input = rest;
                arriving.take(self.key, bytes);
                self.took(take);
                if self.landing.is_some() {
                    return Ok(Fed::All);
                }
                session.on_piece_end();
                continue;
            }
            let item = self.decoder.next(input).map_err(Violation::Decode)?;
            match item {
                None => return Ok(Fed::All),
                Some(Item::Message(message)) => {
                    let shared = &self.shared;
                    let has = |piece| shared.ours(|ours| ours.gives(piece));
                    session.on_message(now, message, &has, &mut self.events)?;
                }
                Some(Item::PieceHeader(block)) => {
                    let expected = session.on_piece_header(now, block)?;
                    let suspect = |data: &Data| data.assemblies.is_suspect(block.piece);
                    if !expected && self.shared.data().is_some_and(suspect) {
                        // One peer alone is to send it now.
                        self.landing = Some(Arriving { block, got: 0, place: Landed::Waste });
                    } else if !self.land(block, false) {
                        return Ok(Fed::NoBuffer);
                    }
                }
            }
        }
    }

    /// Finds a place for a block whose header is in; false if there is no buffer for it now. The caller
    /// then waits and calls [`Receiver::land_waiting`].
    fn land(&mut self, block: Block, spill: bool) -> bool {
        // Nothing is asked for before there is a place for it.
        let Some(data) = self.shared.data() else {
            self.landing = Some(Arriving { block, got: 0, place: Landed::Waste });
            return true;
        };
        let place = match data.assemblies.land(self.key, block, spill) {
            Landing::Buffer(shared) => {
                self.remember(block.piece, &shared);
                Landed::Buffer(shared)
            }
            Landing::Aside(shared) => {
                Landed::Aside(shared, Vec::with_capacity(block.length as usize))
            }
            Landing::Waste => Landed::Waste,
            Landing::NoBuffer => {
                self.landing = Some(Arriving { block, got: 0, place: Landed::Waste });
                return false;
            }
        };
        self.landing = Some(Arriving { block, got: 0, place });
        true
    }

    /// Tries again to find a place for the block that found no buffer.
    pub(super) fn land_waiting(&mut self, spill: bool) -> bool {
        match self.landing.take() {
            Some(arriving) => self.land(arriving.block, spill),
            None => true,
        }
    }

    /// `count` bytes of the block that is arriving are where they belong.
    pub(super) fn took(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.decoder.payload_taken(count);
        let Some(arriving) = &mut self.landing else { return };
        arriving.got += count;
        if arriving.got == arriving.block.length
            && let Some(arriving) = self.landing.take()
        {
            self.finish(arriving);
        }
    }

    fn finish(&mut self, arriving: Arriving) {
        let Arriving { block, place, .. } = arriving;
        let (shared, aside) = match place {
            Landed::Buffer(shared) => (shared, None),
            Landed::Aside(shared, bytes) => (shared, Some(bytes)),
            Landed::Waste => {
                self.events.push(SessionEvent::Received { block, fresh: false, attempt: 0 });
                return;
            }
        };
        let mut assembly = assembly::lock(&shared);
        let attempt = assembly.attempt();
        let added = match aside {
            None => assembly.landed(self.key, block),
            Some(bytes) if assembly.is_in_store() => {
                if assembly.reserve(block) {
                    drop(assembly);
                    self.work().loose.push((shared, block, bytes.into()));
                    return;
                }
                Added::Waste
            }
            Some(bytes) => assembly.put(self.key, block, &bytes),
        };
        drop(assembly);
        self.added(&shared, block, attempt, added);
    }

    fn added(&mut self, shared: &assembly::Shared, block: Block, attempt: u32, added: Added) {
        let fresh = !matches!(added, Added::Waste);
        self.events.push(SessionEvent::Received { block, fresh, attempt });
        if let Added::Complete(complete) = added {
            self.complete(shared, block.piece, complete);
        }
    }

    fn complete(&mut self, shared: &assembly::Shared, piece: PieceIndex, complete: Complete) {
        let senders = || assembly::lock(shared).senders();
        let all = self.shared.clone();
        let Some(Data { assemblies, .. }) = all.data() else { return };
        assemblies.seal(piece);
        self.claimed.retain(|(claimed, _)| *claimed != piece);
        match complete {
            Complete::Buffer(buffer, hash) => {
                let right = assemblies.is_right(piece, hash);
                if !right || assemblies.is_suspect(piece) {
                    let prints = assembly::prints(&senders(), &buffer.bytes);
                    self.work().prints.push((piece, prints));
                }
                if right {
                    self.work().jobs.push(Job::Piece(piece, buffer));
                } else {
                    assemblies.reuse(buffer);
                    self.work().failed.push(piece);
                }
            }
            Complete::Store(hasher, hashed) => {
                self.work().jobs.push(Job::Verify { piece, hasher, hashed, senders: senders() });
            }
        }
    }

    pub(super) fn remember(&mut self, piece: PieceIndex, shared: &assembly::Shared) {
        let known = self.claimed.iter_mut().find(|(claimed, _)| *claimed == piece);
        match known {
            Some((_, known)) => *known = shared.clone(),
            None => self.claimed.push((piece, shared.clone())),
        }
    }

    /// Whether there is something to [deliver](Self::deliver).
    pub(super) fn has_news(&self) -> bool {
        !self.events.is_empty() || self.work.is_some()
    }

    fn work(&mut self) -> &mut Work {
        self.work.get_or_insert_default()
    }

    /// Hands on what came, if that is facts alone and the swarm can take them now; true if so. That is
    /// nearly always so, and costs no future.
    pub(super) fn deliver_at_once(&mut self) -> bool {
        if self.work.is_some() {
            return false;
        }
        // When the swarm's task is gone there is nobody to tell.
        match self.shared.reports.try_reserve() {
            Ok(permit) => {
                permit.send(Report::Session(self.key, std::mem::take(&mut self.events)));
            }
            Err(TrySendError::Full(())) => return false,
            Err(TrySendError::Closed(())) => self.events = Vec::new(),
        }
        true
    }

    /// Hands on what came: pieces to the writer, facts to the swarm. Waits where those are busy; that is
    /// the back-pressure that keeps the peer from sending more than we can store.
    pub(super) async fn deliver(&mut self) {
        let loose = self.work.as_mut().map(|work| std::mem::take(&mut work.loose));
        for (shared, block, bytes) in loose.into_iter().flatten() {
            // First into the queue, then done: when the last block is done, the hash may be read back.
            self.write(vec![Job::Block(block, bytes.clone())]).await;
            let mut assembly = assembly::lock(&shared);
            let attempt = assembly.attempt();
            let added = assembly.written(self.key, block, &bytes);
            drop(assembly);
            self.added(&shared, block, attempt, added);
        }
        // The swarm hears of blocks before it hears that their piece is stored.
        if !self.events.is_empty() {
            let events = std::mem::take(&mut self.events);
            self.shared.report(Report::Session(self.key, events)).await;
        }
        let Some(work) = self.work.take() else { return };
        for (piece, prints) in work.prints {
            self.shared.report(Report::Prints(piece, prints)).await;
        }
        if !work.jobs.is_empty() {
            self.write(work.jobs).await;
        }
        for piece in work.failed {
            self.shared.report(Report::PieceFailed(piece)).await;
        }
    }

    async fn write(&self, jobs: Vec<Job>) {
        if let Some(data) = self.shared.data() {
            data.writer.write(jobs).await;
        }
    }

    /// Waits for a piece buffer, if one is to become free soon; else the block goes to the store as it
    /// is. To be called after [`Fed::NoBuffer`].
    pub(super) async fn find_place(&mut self) {
        while !self.land_waiting(false) {
            let Some(Data { writer, assemblies, .. }) = self.shared.data() else { return };
            if writer.is_stuck() {
                // It is asked for again when it can be kept.
                return;
            }
            if !writer.is_busy() {
                self.land_waiting(true);
                return;
            }
            // Others wait too, and slow peers may hold what became free; so look again by and by.
            let freed = assemblies.buffer_freed();
            let _ = tokio::time::timeout(PATIENCE, freed).await;
        }
    }

    /// Gives up all claims.
    pub(super) fn release(&mut self) {
        for (_, shared) in self.claimed.drain(..) {
            assembly::lock(&shared).release(self.key);
        }
    }
}

/// How long messages may be, by what is known of the torrent.
fn limits(shared: &Shared) -> Limits {
    let known = shared.session.metadata.known();
    known.map_or(Limits::before_metainfo(), |known| {
        let pieces = known.geometry.pieces();
        let mut limits = Limits::for_pieces(pieces);
        // A message that is not whole is in our memory; of the long ones only a bitfield makes sense.
        limits.max_message = MESSAGE.max(pieces.div_ceil(8) + 1);
        limits
    })
}

impl Arriving {
    /// Copies bytes to where they belong.
    fn take(&mut self, key: PeerKey, bytes: &[u8]) {
        match &mut self.place {
            Landed::Waste => {}
            Landed::Aside(_, aside) => aside.extend_from_slice(bytes),
            Landed::Buffer(shared) => {
                // If the claim is gone, somebody else brought the block.
                if let Some(buffer) = assembly::lock(shared).buffer_for(key, self.block) {
                    let begin = (self.block.begin + self.got) as usize;
                    buffer[begin..begin + bytes.len()].copy_from_slice(bytes);
                }
            }
        }
    }
}
