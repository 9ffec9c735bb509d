//! Payload straight from the socket to where it belongs.
//!
//! From our requests we know which blocks come next, so one `readv` takes a dozen of them: payload into
//! the buffers of their pieces, the 13 bytes of each header between them into a scratch. If something
//! else comes instead (a HAVE, a CHOKE, another block), the bytes from there on are gathered again and go
//! the ordinary way. Reads of half a MiB and no copy: that is a quarter of what receiving costs.

use std::io::{self, IoSliceMut};
use std::sync::MutexGuard;

use ccbt_wire::{Block, PIECE_HEAD, PieceIndex, encode_piece_header};

use super::assembly::{self, Assembly};
use super::receive::{Arriving, Landed, Receiver};
use super::transport::Transport;
use crate::CloseReason;
use crate::session::Session;

/// Blocks that one read takes at the most: half a MiB.
const BLOCKS: usize = 32;

/// What a scattered read brought.
#[derive(Debug)]
pub(super) enum Scattered {
    /// Nothing was predicted; read the ordinary way.
    Unpredicted,
    /// So many bytes came; those that were not predicted are for the ordinary way.
    Read(usize, Vec<u8>),
    /// The read failed.
    Failed(io::Error),
}

/// A block that is predicted, in the `piece`th locked assembly.
struct Planned {
    block: Block,
    lock: usize,
    /// Bytes that are here already; only the first block of a plan has any.
    got: u32,
    header: Option<[u8; PIECE_HEAD]>,
}

impl Receiver {
    /// Reads at most `most` bytes of predicted blocks, if there are any and `transport` can.
    pub(super) fn scatter(
        &mut self,
        session: &mut Session,
        transport: &mut Transport,
        most: usize,
    ) -> Result<Scattered, CloseReason> {
        let shares = self.plan_shares(session);
        let mut locks: Vec<MutexGuard<'_, Assembly>> = Vec::with_capacity(shares.len());
        for (_, shared) in &shares {
            // Another connection at work in the same piece: it is no time to wait for it.
            let Ok(lock) = shared.try_lock() else { break };
            locks.push(lock);
        }
        let plan = self.plan(session, &shares, &mut locks);
        if plan.is_empty() {
            return Ok(Scattered::Unpredicted);
        }
        let mut headers = [[0; PIECE_HEAD]; BLOCKS];
        let read = {
            let mut slices = slices(self.key, &plan, &mut locks, &mut headers, most);
            transport.try_read_vectored(&mut slices)
        };
        let count = match read {
            None => return Ok(Scattered::Unpredicted),
            Some(Err(error)) => return Ok(Scattered::Failed(error)),
            Some(Ok(count)) => count,
        };
        let (hits, rest) = verify(self.key, &plan, &mut locks, &headers, count);
        drop(locks);
        self.apply(session, &shares, &plan, &hits)?;
        Ok(Scattered::Read(count, rest))
    }

    /// The assemblies of the pieces that are predicted, each once, in the order in which they come.
    fn plan_shares(&mut self, session: &Session) -> Vec<(PieceIndex, assembly::Shared)> {
        let mut shares: Vec<(PieceIndex, assembly::Shared)> = Vec::new();
        let current = self.landing.as_ref();
        match current.map(|arriving| (&arriving.place, arriving.block.piece)) {
            Some((Landed::Buffer(shared), piece)) => shares.push((piece, shared.clone())),
            // What does not go straight to its place cannot be the start of a plan.
            Some(_) => return shares,
            None if !self.decoder.at_boundary() => return shares,
            None => {}
        }
        for block in session.expected().take(BLOCKS) {
            if shares.iter().any(|(piece, _)| *piece == block.piece) {
                continue;
            }
            let known = self.claimed.iter().find(|(piece, _)| *piece == block.piece);
            let shared = match known {
                Some((_, shared)) => shared.clone(),
                None => match self.shared.data().map(|d| d.assemblies.land(self.key, block, false))
                {
                    Some(assembly::Landing::Buffer(shared)) => {
                        self.remember(block.piece, &shared);
                        shared
                    }
                    _ => break,
                },
            };
            shares.push((block.piece, shared));
        }
        shares
    }

    fn plan(
        &self,
        session: &Session,
        shares: &[(PieceIndex, assembly::Shared)],
        locks: &mut [MutexGuard<'_, Assembly>],
    ) -> Vec<Planned> {
        let mut plan: Vec<Planned> = Vec::with_capacity(BLOCKS);
        if let Some(arriving) = &self.landing {
            let Some(first) = locks.first_mut() else { return plan };
            if first.buffer_for(self.key, arriving.block).is_none() {
                return plan;
            }
            let (block, got) = (arriving.block, arriving.got);
            plan.push(Planned { block, lock: 0, got, header: None });
        }
        for block in session.expected().take(BLOCKS - plan.len()) {
            let place = shares.iter().position(|(piece, _)| *piece == block.piece);
            let Some(lock) = place.filter(|place| *place < locks.len()) else { break };
            // Slices of a buffer are cut from front to back.
            let behind = plan.last().is_none_or(|last| {
                lock > last.lock || (lock == last.lock && block.begin > last.block.begin)
            });
            if !behind || !locks[lock].claim_ahead(self.key, block) {
                break;
            }
            let mut header = [0; PIECE_HEAD];
            encode_piece_header(block, &mut &mut header[..]);
            plan.push(Planned { block, lock, got: 0, header: Some(header) });
        }
        plan
    }

    /// Books what came as predicted.
    fn apply(
        &mut self,
        session: &mut Session,
        shares: &[(PieceIndex, assembly::Shared)],
        plan: &[Planned],
        hits: &[usize],
    ) -> Result<(), CloseReason> {
        let now = self.shared.clock.now();
        for (planned, payload) in plan.iter().zip(hits) {
            if let Some(header) = &planned.header {
                // The decoder sees every header, so that it stays in step with the stream.
                let item = self.decoder.next(&mut &header[..]);
                debug_assert!(matches!(item, Ok(Some(ccbt_wire::Item::PieceHeader(_)))));
                session.on_piece_header(now, planned.block)?;
                let place = Landed::Buffer(shares[planned.lock].1.clone());
                self.landing = Some(Arriving { block: planned.block, got: 0, place });
            }
            self.took(*payload);
            if self.landing.is_none() {
                session.on_piece_end();
            }
        }
        Ok(())
    }
}

/// Payload and header slices in the order in which the bytes come, `most` bytes together.
fn slices<'a>(
    key: crate::swarm::PeerKey,
    plan: &[Planned],
    locks: &'a mut [MutexGuard<'_, Assembly>],
    headers: &'a mut [[u8; PIECE_HEAD]; BLOCKS],
    most: usize,
) -> Vec<IoSliceMut<'a>> {
    let mut left = most;
    let mut slices = Vec::with_capacity(2 * plan.len());
    let mut headers = headers.iter_mut();
    let mut planned = plan.iter().peekable();
    for (at, lock) in locks.iter_mut().enumerate() {
        let Some(first) = planned.peek().filter(|planned| planned.lock == at) else { continue };
        let Some(mut buffer) = lock.buffer_for(key, first.block) else { break };
        let mut offset = 0;
        while let Some(next) = planned.next_if(|planned| planned.lock == at) {
            let begin = (next.block.begin + next.got) as usize;
            let end = (next.block.begin + next.block.length) as usize;
            let (head, tail) = buffer.split_at_mut(end - offset);
            if next.header.is_some()
                && let Some(header) = headers.next()
            {
                // Half a header would not be seen as one.
                if left <= PIECE_HEAD {
                    return slices;
                }
                left -= PIECE_HEAD;
                slices.push(IoSliceMut::new(header));
            }
            let payload = left.min(end - begin);
            slices.push(IoSliceMut::new(&mut head[begin - offset..][..payload]));
            left -= payload;
            if left == 0 {
                return slices;
            }
            buffer = tail;
            offset = end;
        }
    }
    slices
}

/// How much payload of each block came as predicted, and a copy of everything behind that.
fn verify(
    key: crate::swarm::PeerKey,
    plan: &[Planned],
    locks: &mut [MutexGuard<'_, Assembly>],
    headers: &[[u8; PIECE_HEAD]; BLOCKS],
    count: usize,
) -> (Vec<usize>, Vec<u8>) {
    let mut left = count;
    let mut came = headers.iter();
    let (mut hits, mut rest) = (Vec::with_capacity(plan.len()), Vec::new());
    let mut astray = false;
    for planned in plan {
        if let Some(header) = &planned.header {
            let Some(scratch) = came.next() else { break };
            let head = left.min(PIECE_HEAD);
            if head == 0 {
                break;
            }
            left -= head;
            astray |= head < PIECE_HEAD || scratch != header;
            if astray {
                rest.extend_from_slice(&scratch[..head]);
            }
        }
        let payload = left.min((planned.block.length - planned.got) as usize);
        left -= payload;
        if !astray {
            hits.push(payload);
        } else if let Some(buffer) = locks[planned.lock].buffer_for(key, planned.block) {
            let begin = (planned.block.begin + planned.got) as usize;
            rest.extend_from_slice(&buffer[begin..begin + payload]);
        }
    }
    (hits, rest)
}
