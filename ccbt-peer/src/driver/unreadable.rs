//! Pieces that cannot be read, such as those of one file, are set aside while all others are served. If nothing
//! else can be read either, the swarm pauses. Both are looked at again by and by.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IoSliceMut;
use std::sync::Arc;
use std::time::Duration;

use ccbt_wire::PieceIndex;
use tokio::sync::Notify;

use super::Report;
use super::paused::Waits;
use super::swarm::Driver;
use crate::event::EventKind;
use crate::session::Run;
use crate::store::{PieceStore, StoreError};

/// So many pieces are tried again at a time.
const TRIED: usize = 64;
/// So many files, and so many other places, say whether anything can be read at all.
const SAMPLES: usize = 16;
/// So many different errors are told.
const TOLD: usize = 64;

/// Bytes of a piece: where they begin, and how many.
type Bytes = (PieceIndex, u32, u32);

/// What is set aside, and what was told of it.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    /// Of each piece what was asked for in vain.
    pieces: BTreeMap<PieceIndex, (u32, u32)>,
    /// The piece that is tried first next time.
    next: u32,
    errors: BTreeSet<String>,
    /// Errors that wait for a look at the rest of the store.
    untold: Vec<String>,
    /// It was told that some pieces cannot be read.
    told: bool,
    looking: bool,
    hurry: Arc<Notify>,
    waits: Option<Waits>,
}

impl Unreadable {
    /// True if this is a new kind of failure, which asks for a look at once.
    fn add(&mut self, run: &Run, error: &StoreError) -> bool {
        self.pieces.insert(run.piece, (run.begin, run.len()));
        let error = error.to_string();
        let new = self.errors.len() < TOLD && self.errors.insert(error.clone());
        if new {
            self.untold.push(error);
        }
        new
    }

    /// The pieces that are to be tried now, in turns.
    fn turn(&mut self) -> Vec<Bytes> {
        let next = PieceIndex(self.next);
        let (before, after) = (self.pieces.range(..next), self.pieces.range(next..));
        let bytes =
            |(piece, (begin, length)): (&PieceIndex, &(u32, u32))| (*piece, *begin, *length);
        let turn: Vec<Bytes> = after.chain(before).take(TRIED).map(bytes).collect();
        self.next = turn.last().map_or(0, |(piece, ..)| piece.0 + 1);
        turn
    }
}

impl Driver {
    /// What a peer asked for cannot be read: nobody else is to ask for that piece.
    pub(super) fn on_read_failed(&mut self, run: &Run, error: &StoreError) {
        if self.failing.reading {
            return;
        }
        if self.unreadable.add(run, error) {
            self.unreadable.hurry.notify_one();
        }
        self.shared.set_aside(run.piece);
        if !self.unreadable.looking {
            self.look(Duration::ZERO);
        }
    }

    /// Looks what can be read, after a while or when another kind of failure comes.
    fn look(&mut self, wait: Duration) {
        let Some(store) = self.shared.data().map(|data| data.store.clone()) else { return };
        self.unreadable.looking = true;
        let (tried, samples) = (self.unreadable.turn(), self.samples());
        let (reports, hurry) = (self.shared.reports.clone(), self.unreadable.hurry.clone());
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = reports.closed() => return,
                () = hurry.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
            let looked = tokio::task::spawn_blocking(move || {
                let back: Vec<PieceIndex> = tried
                    .into_iter()
                    .filter(|bytes| reads(&*store, *bytes))
                    .map(|(piece, ..)| piece)
                    .collect();
                let any = !back.is_empty() || samples.into_iter().any(|one| reads(&*store, one));
                (back, any)
            });
            let (back, any) = looked.await.unwrap_or_default();
            let _ = reports.send(Report::Looked(back, any)).await;
        });
    }

    /// These pieces can be read again; `any`: something can be read.
    pub(super) fn on_looked(&mut self, back: Vec<PieceIndex>, any: bool) {
        let unreadable = &mut self.unreadable;
        unreadable.looking = false;
        for piece in &back {
            unreadable.pieces.remove(piece);
        }
        if !back.is_empty() {
            unreadable.waits = None;
            self.shared.bring_back(back);
            self.announce();
        }
        match (any, self.failing.reading) {
            (false, false) => self.pause_reading(),
            (true, true) => self.on_read_back(),
            _ => {}
        }
        let unreadable = &mut self.unreadable;
        if unreadable.pieces.is_empty() {
            let told = std::mem::take(unreadable).told;
            if told {
                self.emit(EventKind::ReadRecovered);
            }
            return;
        }
        if any {
            unreadable.told |= !unreadable.untold.is_empty();
            for error in std::mem::take(&mut unreadable.untold) {
                self.emit(EventKind::ReadFailed { error });
            }
        }
        let wait = self.unreadable.waits.get_or_insert_with(Waits::new).next();
        self.look(wait);
    }

    /// Nothing can be read. When something can be again, what still cannot is told.
    fn pause_reading(&mut self) {
        let unreadable = &mut self.unreadable;
        let first = unreadable.untold.first().or(unreadable.errors.first()).cloned();
        unreadable.untold = unreadable.errors.iter().cloned().collect();
        self.on_nothing_read(first.unwrap_or_default());
    }

    /// Pieces that are not set aside: one of each of some files, and some all over the torrent.
    fn samples(&self) -> Vec<Bytes> {
        let Some(metainfo) = &self.opening.metainfo else { return Vec::new() };
        self.shared.ours(|ours| {
            let files = metainfo.files();
            let of_files = files.iter().step_by(files.len().div_ceil(SAMPLES).max(1));
            let middles = of_files.filter(|file| !file.pad).filter_map(|file| {
                let pieces = metainfo.pieces_of(file.offset, file.length);
                Some(PieceIndex(pieces.start + u32::try_from(pieces.len() / 2).ok()?))
            });
            let step = (ours.have.count_ones() as usize).div_ceil(SAMPLES).max(1);
            let all: BTreeSet<PieceIndex> =
                middles.chain(ours.have.iter_ones().step_by(step)).collect();
            let given = all.into_iter().filter(|piece| ours.gives(*piece));
            let first = |piece| metainfo.blocks(piece).next();
            given.filter_map(first).map(|block| (block.piece, block.begin, block.length)).collect()
        })
    }
}

fn reads(store: &dyn PieceStore, (piece, begin, length): Bytes) -> bool {
    let mut bytes = vec![0; length as usize];
    store.read_run(piece, begin, &mut [IoSliceMut::new(&mut bytes)]).is_ok()
}
