//! The one thread that writes to the store.

use std::cell::Cell;
use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use ccbt_wire::{Block, PieceIndex};
use sha1::{Digest, Sha1};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::Report;
use super::assembly::{self, Assemblies, PieceBuffer};
use super::paused::Waits;
use crate::Geometry;
use crate::choice::PieceChoice;
use crate::store::{PieceStore, StoreError};
use crate::swarm::{Input, PeerKey};

/// Lists with loose blocks that may wait. Whole pieces are bounded by their buffers already, and whoever brings one
/// goes on with what else it has to do.
const QUEUE: usize = 64;
/// A piece that went to the store block by block is read back in such steps.
const STEP: usize = 256 << 10;

/// Where it is told whether the store could follow a choice.
pub(crate) type Reply = oneshot::Sender<Result<(), StoreError>>;

/// What is to be written.
#[derive(Debug)]
pub(crate) enum Job {
    /// A verified piece.
    Piece(PieceIndex, PieceBuffer),
    /// A block of a piece that is not kept in memory.
    Block(Block, Bytes),
    /// All blocks of such a piece are written: hash what is not in the hash yet.
    Verify {
        piece: PieceIndex,
        hasher: Box<Sha1>,
        /// Bytes from the front that are in the hash.
        hashed: u32,
        /// Who sent each block.
        senders: Vec<PeerKey>,
    },
    /// Of the torrent's files these are wanted from now on: the store is to be ready for them, and then the
    /// core is told which pieces that means. Without somebody to reply to, it is the choice of the start.
    Choose(Vec<bool>, Option<(Arc<PieceChoice>, Reply)>),
}

/// The way to the writer thread. When the last one is dropped, the thread ends.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    jobs: mpsc::UnboundedSender<Vec<Job>>,
    room: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    stuck: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the thread. It reports what is stored. Must be called in a runtime, whose clock it uses when it has
    /// to wait until the store works again.
    pub(crate) fn start(
        geometry: Geometry,
        store: Arc<dyn PieceStore>,
        assemblies: Arc<Assemblies>,
        reports: mpsc::Sender<Report>,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(QUEUE));
        let waiting = Arc::new(AtomicUsize::new(0));
        let stuck = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            geometry,
            store,
            assemblies,
            reports,
            room: room.clone(),
            waiting: waiting.clone(),
            stuck: stuck.clone(),
            runtime: Handle::current(),
            troubled: Cell::new(false),
        };
        let builder = std::thread::Builder::new().name("ccbt-writer".to_owned());
        let thread = builder.spawn(move || worker.run(queue))?;
        Ok((Self { jobs, room, waiting, stuck }, thread))
    }

    /// Queues a job before there is any other.
    pub(crate) fn begin(&self, job: Job) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.jobs.send(vec![job]);
    }

    /// Queues jobs that are done one after the other; loose blocks wait while there are many. What comes together
    /// wakes the thread once, is written in as few calls as it can be, and is told together.
    pub(crate) async fn write(&self, jobs: Vec<Job>) {
        self.waiting.fetch_add(jobs.len(), Ordering::Relaxed);
        if has_blocks(&jobs)
            && let Ok(permit) = self.room.acquire().await
        {
            // The thread gives it back.
            permit.forget();
        }
        // The thread ends early only when the swarm has stopped.
        let _ = self.jobs.send(jobs);
    }

    /// Whether the thread has work: buffers become free soon.
    pub(crate) fn is_busy(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Whether the store fails: nobody knows when there will be a buffer.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }
}

fn has_blocks(jobs: &[Job]) -> bool {
    jobs.iter().any(|job| matches!(job, Job::Block(..)))
}

/// The swarm stopped before the store worked again.
struct GivenUp;

/// What became of a batch.
#[derive(Debug, Default)]
struct Done {
    /// Told before what is stored: what a piece's blocks were comes before what became of it.
    reports: Vec<Report>,
    stored: Vec<PieceIndex>,
}

struct Worker {
    geometry: Geometry,
    store: Arc<dyn PieceStore>,
    assemblies: Arc<Assemblies>,
    reports: mpsc::Sender<Report>,
    room: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    stuck: Arc<AtomicBool>,
    runtime: Handle,
    /// It was told that the store has some trouble.
    troubled: Cell<bool>,
}

impl Worker {
    fn run(self, mut queue: mpsc::UnboundedReceiver<Vec<Job>>) {
        let mut lists = Vec::new();
        while queue.blocking_recv_many(&mut lists, QUEUE) > 0 {
            let jobs = lists.iter().map(Vec::len).sum();
            let loose = lists.iter().filter(|jobs| has_blocks(jobs)).count();
            if let Err(GivenUp) = self.work(lists.drain(..).flatten()) {
                break;
            }
            self.waiting.fetch_sub(jobs, Ordering::Relaxed);
            self.room.add_permits(loose);
        }
        // Nobody waits for a thread that is gone.
        self.room.close();
        self.store.close();
    }

    /// Does something with the store; if it fails, again and again until it works.
    fn insist<T>(&self, mut act: impl FnMut() -> Result<T, StoreError>) -> Result<T, GivenUp> {
        let mut error = match act() {
            Ok(done) => return Ok(done),
            Err(error) => Some(error),
        };
        self.stuck.store(true, Ordering::Relaxed);
        let mut waits = Waits::new();
        loop {
            if let Some(first) = error.take() {
                self.report(Report::WriteFailed(first));
            }
            let wait = waits.next();
            let stops = self.runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = self.reports.closed() => true,
                    () = tokio::time::sleep(wait) => false,
                }
            });
            if stops {
                return Err(GivenUp);
            }
            if let Ok(done) = act() {
                self.stuck.store(false, Ordering::Relaxed);
                self.report(Report::WriteBack);
                return Ok(done);
            }
        }
    }

    fn work(&self, jobs: impl Iterator<Item = Job>) -> Result<(), GivenUp> {
        let mut run: Vec<(PieceIndex, PieceBuffer)> = Vec::new();
        let mut done = Done::default();
        for job in jobs {
            match job {
                Job::Piece(piece, buffer) => {
                    if run.last().is_some_and(|(last, _)| last.0 + 1 != piece.0) {
                        self.write_run(&mut run, &mut done)?;
                    }
                    run.push((piece, buffer));
                }
                Job::Block(block, bytes) => {
                    let data = [IoSlice::new(&bytes)];
                    self.insist(|| self.store.write_run(block.piece, block.begin, &data))?;
                }
                Job::Verify { piece, hasher, hashed, senders } => {
                    self.verify(piece, *hasher, hashed, &senders, &mut done)?;
                }
                Job::Choose(files, reply) => {
                    // What came before it goes where it was meant to go.
                    self.write_run(&mut run, &mut done)?;
                    self.tell(&mut done)?;
                    self.choose(&files, reply)?;
                }
            }
        }
        self.write_run(&mut run, &mut done)?;
        self.tell(&mut done)
    }

    /// What is to be remembered comes before what is told: nobody hears of a piece that may be gone.
    fn tell(&self, done: &mut Done) -> Result<(), GivenUp> {
        self.insist(|| self.store.keep(&done.stored))?;
        let trouble = self.store.trouble();
        if !self.troubled.replace(trouble.is_some())
            && let Some(trouble) = trouble
        {
            self.report(Report::Trouble(trouble));
        }
        done.reports.drain(..).for_each(|report| self.report(report));
        if !done.stored.is_empty() {
            self.report(Report::Stored(std::mem::take(&mut done.stored)));
        }
        Ok(())
    }

    fn write_run(
        &self,
        run: &mut Vec<(PieceIndex, PieceBuffer)>,
        done: &mut Done,
    ) -> Result<(), GivenUp> {
        let Some((first, _)) = run.first() else { return Ok(()) };
        let slices: Vec<IoSlice<'_>> =
            run.iter().map(|(_, buffer)| IoSlice::new(&buffer.bytes)).collect();
        if let Err(given_up) = self.insist(|| self.store.write_run(*first, 0, &slices)) {
            // What was written before it is remembered all the same.
            let _ = self.store.keep(&done.stored);
            return Err(given_up);
        }
        for (piece, buffer) in run.drain(..) {
            self.assemblies.reuse(buffer);
            done.stored.push(piece);
        }
        Ok(())
    }

    fn choose(
        &self,
        files: &[bool],
        reply: Option<(Arc<PieceChoice>, Reply)>,
    ) -> Result<(), GivenUp> {
        let Some((pieces, reply)) = reply else { return self.insist(|| self.store.choose(files)) };
        let chosen = self.store.choose(files);
        if chosen.is_ok() {
            self.report(Report::Wish(Input::Choose(pieces)));
        }
        // Who asked may have given up.
        let _ = reply.send(chosen);
        Ok(())
    }

    fn verify(
        &self,
        piece: PieceIndex,
        mut hasher: Sha1,
        hashed: u32,
        senders: &[PeerKey],
        done: &mut Done,
    ) -> Result<(), GivenUp> {
        self.read_back(piece, hashed, |bytes| hasher.update(bytes))?;
        let right = self.assemblies.is_right(piece, hasher.finalize().into());
        if !right || self.assemblies.is_suspect(piece) {
            let mut prints = Vec::with_capacity(senders.len());
            self.read_back(piece, 0, |bytes| {
                let rest = &senders[prints.len()..];
                prints.extend(assembly::prints(rest, bytes));
            })?;
            done.reports.push(Report::Prints(piece, prints));
        }
        if right {
            done.stored.push(piece);
        } else {
            done.reports.push(Report::PieceFailed(piece));
        }
        Ok(())
    }

    /// Reads the piece from `begin` on, in steps of whole blocks.
    fn read_back(
        &self,
        piece: PieceIndex,
        begin: u32,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), GivenUp> {
        let length = self.geometry.piece_len(piece) as usize;
        let mut begin = begin as usize;
        let mut buffer = vec![0; STEP.min(length - begin)];
        while begin < length {
            let step = buffer.len().min(length - begin);
            let at = u32::try_from(begin).unwrap_or(u32::MAX);
            self.insist(|| {
                self.store.read_run(piece, at, &mut [IoSliceMut::new(&mut buffer[..step])])
            })?;
            take(&buffer[..step]);
            begin += step;
        }
        Ok(())
    }

    fn report(&self, report: Report) {
        // A swarm that is gone wants no report.
        let _ = self.reports.blocking_send(report);
    }
}

#[cfg(test)]
mod tests;
