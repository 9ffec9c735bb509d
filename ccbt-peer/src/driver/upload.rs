//! Serving: a run of blocks is read in one go and sent in one go.

use std::io::IoSliceMut;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ccbt_wire::{PIECE_HEAD, encode_piece_header};
use tokio::task::{JoinError, JoinHandle};

use super::Shared;
use crate::session::{Run, Session};
use crate::store::StoreError;

/// Payload of one run.
const RUN: u32 = 256 << 10;

/// A run that is being read: its PIECE messages, or nothing if the store does not give it.
type Reading = JoinHandle<(Run, Result<Vec<u8>, StoreError>)>;
/// How a read ended.
pub(super) type ReadResult = Result<(Run, Result<Vec<u8>, StoreError>), JoinError>;

/// What a connection is sending, beside its messages.
#[derive(Debug, Default)]
pub(super) struct Upload {
    reading: Option<Reading>,
    /// When all of it is sent it stays for its buffer, until the peer asks for nothing.
    sending: Option<Box<Sending>>,
}

/// A run that is on its way.
#[derive(Debug)]
struct Sending {
    /// PIECE messages, and how many bytes of them are sent.
    framed: Vec<u8>,
    sent: usize,
    run: Run,
}

impl Sending {
    /// Where in `framed` the message ends that is half sent; `None` between two messages.
    fn end_of_message(&self) -> Option<usize> {
        let ends = self.run.blocks.iter().scan(0, |end, block| {
            *end += PIECE_HEAD + block.length as usize;
            Some(*end)
        });
        let mut start = 0;
        for end in ends {
            if self.sent < end {
                return (self.sent > start).then_some(end);
            }
            start = end;
        }
        None
    }
}

impl Upload {
    /// Whether no run is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.reading.is_none() && self.bytes().is_empty()
    }

    /// The peer asks for nothing: lets go of what was kept for the next run.
    pub(super) fn rest(&mut self) {
        if self.is_idle() {
            self.sending = None;
        }
    }

    /// Starts to read the next run, if the peer waits for one: about `most` bytes, but a block at
    /// least. Gives its payload in bytes. No run may be under way.
    pub(super) fn start(
        &mut self,
        session: &mut Session,
        shared: &Arc<Shared>,
        most: usize,
    ) -> usize {
        let most = u32::try_from(most).unwrap_or(RUN).min(RUN);
        let Some(run) = session.next_upload(most) else { return 0 };
        let payload = run.len() as usize;
        let mut framed = self.sending.take().map(|done| done.framed).unwrap_or_default();
        let at_hand = |slices: &mut [IoSliceMut<'_>]| {
            let store = shared.data().map(|data| &data.store);
            store.is_some_and(|store| store.read_at_hand(run.piece, run.begin, slices))
        };
        if frame(&run, &mut framed, at_hand) {
            self.sending = Some(Box::new(Sending { framed, sent: 0, run }));
            return payload;
        }
        let shared = shared.clone();
        self.reading = Some(tokio::task::spawn_blocking(move || {
            // Without a store nothing was announced that a peer could ask for.
            let mut result = Err(StoreError::GivenUp);
            frame(&run, &mut framed, |slices| {
                if let Some(data) = shared.data() {
                    result = data.store.read_run(run.piece, run.begin, slices);
                }
                result.is_ok()
            });
            (run, result.map(|()| framed))
        }));
        payload
    }

    /// Ready when a read is done; never if none is under way.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<ReadResult> {
        match &mut self.reading {
            Some(reading) => Pin::new(reading).poll(cx),
            None => Poll::Pending,
        }
    }

    /// Takes in what a read brought; if it failed, that comes back.
    pub(super) fn read(
        &mut self,
        session: &mut Session,
        result: ReadResult,
    ) -> Option<(Run, StoreError)> {
        self.reading = None;
        match result {
            Ok((run, Ok(framed))) => {
                self.sending = Some(Box::new(Sending { framed, sent: 0, run }));
            }
            Ok((run, Err(error))) => {
                session.take_back(run.piece);
                run.blocks.iter().for_each(|block| session.reject(*block));
                return Some((run, error));
            }
            // The runtime is going down.
            Err(_) => {}
        }
        None
    }

    /// What is left of a message that is half sent: nothing else may go out before. Empty between two.
    pub(super) fn started(&self) -> &[u8] {
        let sending = self.sending.as_ref();
        let end = sending.and_then(|sending| Some((sending, sending.end_of_message()?)));
        end.map_or(&[], |(sending, end)| &sending.framed[sending.sent..end])
    }

    /// What is to be sent next.
    pub(super) fn bytes(&self) -> &[u8] {
        self.sending.as_ref().map_or(&[], |sending| &sending.framed[sending.sent..])
    }

    /// So many bytes were sent; gives the payload of the run when it is all sent.
    pub(super) fn sent(&mut self, count: usize) -> Option<u64> {
        let sending = self.sending.as_mut()?;
        sending.sent += count;
        if sending.sent < sending.framed.len() {
            return None;
        }
        Some(u64::from(sending.run.len()))
    }
}

/// Makes the run's PIECE messages in `framed`; false if `read` does not give its payload.
fn frame(
    run: &Run,
    framed: &mut Vec<u8>,
    read: impl FnOnce(&mut [IoSliceMut<'_>]) -> bool,
) -> bool {
    framed.resize(run.len() as usize + run.blocks.len() * PIECE_HEAD, 0);
    let mut slices = Vec::with_capacity(run.blocks.len());
    let mut rest = &mut framed[..];
    for block in &run.blocks {
        let (mut header, tail) = rest.split_at_mut(PIECE_HEAD);
        encode_piece_header(*block, &mut header);
        let (payload, tail) = tail.split_at_mut(block.length as usize);
        slices.push(IoSliceMut::new(payload));
        rest = tail;
    }
    read(&mut slices)
}
