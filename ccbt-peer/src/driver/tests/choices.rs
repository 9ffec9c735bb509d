//! Other files are wanted while the swarm runs.

use std::io::{IoSlice, IoSliceMut};
use std::sync::Mutex;

use ccbt_wire::PieceIndex;
use tokio::sync::oneshot;

use super::*;
use crate::Choice;
use crate::driver::Report;
use crate::store::{PieceStore, StoreError};
use crate::swarm::Input;

/// Remembers which files were wanted each time.
#[derive(Debug)]
struct Listening(MemoryStore, Mutex<Vec<Vec<bool>>>);

impl PieceStore for Listening {
    fn write_run(
        &self,
        piece: PieceIndex,
        at: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError> {
        self.0.write_run(piece, at, data)
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        at: u32,
        into: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        self.0.read_run(piece, at, into)
    }

    fn choose(&self, files: &[bool]) -> Result<(), StoreError> {
        self.1.lock().unwrap().push(files.to_vec());
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn that_all_is_here_is_not_told_when_more_is_wanted_by_then() {
    let metainfo = torrent();
    let (swarm, mut events) = Swarm::builder(metainfo.clone()).start().unwrap();
    // Both are heard before the swarm acts on one.
    for files in [vec![], vec![0]] {
        let pieces = Choice::only(&metainfo, files).pieces(&metainfo);
        swarm.tell(Report::Wish(Input::Choose(Arc::new(pieces))));
    }
    swarm.addresses().await;
    swarm.stop().await;
    while let Some(event) = events.next().await {
        assert!(!matches!(event.kind, EventKind::Finished), "{event:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_store_hears_of_choices_in_the_order_in_which_they_were_made() {
    let metainfo = torrent();
    let store = Arc::new(Listening(MemoryStore::new(&metainfo), Mutex::default()));
    let (swarm, _events) = Swarm::builder(metainfo.clone()).store(store.clone()).start().unwrap();
    let made: Vec<Vec<bool>> = (0..60).map(|n| vec![n % 3 == 0 || n % 7 == 0]).collect();
    let mut replies = Vec::new();
    for wanted in &made {
        let (reply, done) = oneshot::channel();
        let choice = Choice::only(&metainfo, wanted[0].then_some(0));
        swarm.tell(Report::Choose(choice, reply));
        replies.push(done);
    }
    for done in replies {
        done.await.unwrap().unwrap();
    }
    assert_eq!(*store.1.lock().unwrap(), made);
}
