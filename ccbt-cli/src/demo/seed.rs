//! The demo's seeds: real swarms that have everything, on a store with a brake.

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use ccbt_peer::store::{MemoryStore, PieceStore, StoreError};
use ccbt_peer::wire::{Bitfield, Metainfo, PieceIndex};
use ccbt_peer::{Events, Swarm};

use crate::exit::{Exit, Failure};

/// Bytes a second that a seed gives while the brake is on. Two seeds need 12 s for the payload then:
/// longer than any rule of the demo.
const SLOW: u64 = 1 << 20;

/// Slows seeds down until it is released.
#[derive(Clone, Debug, Default)]
pub(super) struct Brake(Arc<(Mutex<bool>, Condvar)>);

impl Brake {
    /// From now on seeds are as fast as they can.
    pub(super) fn release(&self) {
        let (released, changed) = &*self.0;
        *released.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Takes as long as so many bytes take at the slow rate, or until the release.
    fn hold(&self, bytes: u64) {
        let (released, changed) = &*self.0;
        let time = Duration::from_micros(bytes.saturating_mul(1_000_000) / SLOW);
        let released = released.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether time or release ended the wait does not matter.
        drop(changed.wait_timeout_while(released, time, |released| !*released));
    }
}

/// One seed's view of the payload: one slow read at a time.
#[derive(Debug)]
struct SlowStore {
    payload: Arc<MemoryStore>,
    brake: Brake,
    turn: Mutex<()>,
}

impl PieceStore for SlowStore {
    fn write_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError> {
        self.payload.write_run(piece, begin, data)
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.brake.hold(buffers.iter().map(|buffer| buffer.len() as u64).sum());
        self.payload.read_run(piece, begin, buffers)
    }
}

/// The seeds of the demo.
pub(super) struct Seeds {
    metainfo: Metainfo,
    payload: Arc<MemoryStore>,
    brake: Brake,
    swarms: Vec<(Swarm, Events)>,
}

impl Seeds {
    pub(super) fn new(metainfo: &Metainfo, payload: Vec<u8>, brake: &Brake) -> Self {
        let payload = Arc::new(MemoryStore::with(metainfo, payload));
        Self { metainfo: metainfo.clone(), payload, brake: brake.clone(), swarms: Vec::new() }
    }

    /// Starts one more seed, and returns its address.
    pub(super) async fn add(&mut self) -> Result<SocketAddr, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(Exit::Failed, format_args!("seed: {error}"))
        };
        let store = SlowStore {
            payload: self.payload.clone(),
            brake: self.brake.clone(),
            turn: Mutex::default(),
        };
        let (swarm, events) = Swarm::builder(self.metainfo.clone())
            .store(store)
            .have(Bitfield::full(self.metainfo.piece_count()))
            .listen((Ipv4Addr::LOCALHOST, 0).into())
            .start()
            .map_err(|error| failed(&error))?;
        let addr = swarm.local_addr().ok_or_else(|| failed(&"does not listen"))?;
        self.swarms.push((swarm, events));
        Ok(addr)
    }

    /// Stops all of them.
    pub(super) async fn stop(&self) {
        for (swarm, _) in &self.swarms {
            swarm.stop().await;
        }
    }
}
