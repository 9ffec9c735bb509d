//! Keeping the resume state while a store is written to.
//!
//! The writer's records cost one small write a batch. Every few seconds a thread has the system bring the
//! files to the medium and writes a new base; the writer never waits for it.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::folder::Folder;
use super::layout::Layout;
use crate::store::StoreError;
use crate::store::resume::{Log, Mark, Place, Record, ResumeState};

/// A new base comes so long after the first change.
const PERIOD: Duration = Duration::from_secs(5);
/// A new base comes sooner if there are so many bytes of records.
const MOST_RECORDS: u64 = 4 << 20;
/// At the end nobody waits for the medium to take more bytes than that: the records are good while the
/// system runs, and the next start hashes what it cannot trust.
const MOST_BYTES: u64 = 64 << 20;

/// The state of a store, kept up to date.
#[derive(Debug)]
pub(super) struct Remember {
    keeper: Arc<Keeper>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Keeper {
    folder: Arc<Folder>,
    layout: Arc<Layout>,
    part: PathBuf,
    place: Place,
    inner: Mutex<Inner>,
    wake: Condvar,
    /// Held by whoever writes a base.
    writing: Mutex<()>,
}

#[derive(Debug)]
struct Inner {
    state: ResumeState,
    /// Files that changed since the last base, and how many bytes of them.
    unsynced: BTreeSet<usize>,
    unsynced_bytes: u64,
    /// Files of which the medium may have lost something: systems tell that once, and never again.
    doubtful: BTreeSet<usize>,
    /// Files that another program may have changed.
    suspect: BTreeSet<usize>,
    /// A new base is wanted now.
    due: bool,
    /// What came while a base is being written, and is to stand behind it.
    pending: Option<Vec<Record>>,
    log: Option<Log>,
    closed: bool,
    trouble: Option<String>,
}

impl Remember {
    /// Begins with `state`; `is_kept`: it is what lies in its place already. Of `unsynced` files it is not known
    /// whether the medium has them. Without a thread it is written at the end alone.
    pub(super) fn start(
        folder: Arc<Folder>,
        layout: Arc<Layout>,
        part: PathBuf,
        place: Place,
        state: ResumeState,
        is_kept: bool,
        unsynced: BTreeSet<usize>,
    ) -> Self {
        let inner = Inner {
            state,
            unsynced,
            unsynced_bytes: 0,
            doubtful: BTreeSet::new(),
            suspect: BTreeSet::new(),
            due: !is_kept,
            pending: None,
            log: None,
            closed: false,
            trouble: None,
        };
        let keeper = Arc::new(Keeper {
            folder,
            layout,
            part,
            place,
            inner: Mutex::new(inner),
            wake: Condvar::new(),
            writing: Mutex::default(),
        });
        let builder = std::thread::Builder::new().name("ccbt-state".to_owned());
        let thread = builder.spawn({
            let keeper = Arc::clone(&keeper);
            move || keeper.run()
        });
        Self { keeper, thread: Mutex::new(thread.ok()) }
    }

    /// Takes note of what was written, which is `bytes` long.
    pub(super) fn record(&self, record: Record, bytes: u64) {
        let mut inner = self.keeper.lock();
        inner.add(record, bytes);
        // The first one has no base yet behind which it could stand. What failed is tried again in its time.
        let wants_base = inner.log.as_ref().is_none_or(|log| log.length > MOST_RECORDS);
        if wants_base && inner.pending.is_none() && inner.trouble.is_none() && !inner.due {
            inner.due = true;
            self.keeper.wake.notify_all();
        }
    }

    /// Another program may have changed this file: a later start is to hash it, whatever is written to it in this
    /// run.
    pub(super) fn doubt(&self, file: usize) {
        let mut inner = self.keeper.lock();
        inner.suspect.insert(file);
        inner.state.marks[file] = Mark::unknown();
        inner.due = true;
        self.keeper.wake.notify_all();
    }

    /// It was hashed, and is right as it looks now.
    pub(super) fn believe(&self, file: usize, mark: Mark) {
        self.keeper.lock().suspect.remove(&file);
        let marks = vec![(u32::try_from(file).unwrap_or(u32::MAX), mark)];
        self.record(Record { marks, pieces: Vec::new() }, 0);
    }

    /// Why the state could not be written the last time.
    pub(super) fn trouble(&self) -> Option<String> {
        self.keeper.lock().trouble.clone()
    }

    /// Writes what is left to be written. Nothing comes behind it.
    pub(super) fn close(&self) {
        self.keeper.lock().closed = true;
        self.keeper.wake.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = thread.map(JoinHandle::join);
        let inner = self.keeper.lock();
        let few = inner.unsynced_bytes <= MOST_BYTES;
        let is_due = inner.is_due() && (few || inner.log.is_none());
        drop(inner);
        if is_due {
            self.keeper.write_base();
        }
    }

    /// Writes a base now.
    #[cfg(test)]
    pub(super) fn write_base(&self) {
        self.keeper.write_base();
    }
}

impl Drop for Remember {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    /// These files will have to be hashed, whatever is written to them in this run.
    fn doubt(&mut self, files: &BTreeSet<usize>) {
        self.doubtful.extend(files);
        for file in files {
            self.state.marks[*file] = Mark::unknown();
        }
    }

    fn is_due(&self) -> bool {
        self.due || !self.unsynced.is_empty()
    }

    fn add(&mut self, mut record: Record, bytes: u64) {
        for (file, mark) in &mut record.marks {
            let file = *file as usize;
            if self.doubtful.contains(&file) || self.suspect.contains(&file) {
                *mark = Mark::unknown();
            }
        }
        self.unsynced.extend(record.marks.iter().map(|(file, _)| *file as usize));
        self.unsynced_bytes += bytes;
        if !self.state.add(&record) {
            return;
        }
        // A base that is being written is not there before it is whole: until then records stand behind the old
        // one as well.
        if let Some(pending) = &mut self.pending {
            pending.push(record.clone());
        }
        if let Some(Err(error)) = self.log.as_mut().map(|log| log.add(&record)) {
            // What came later could not be told from what is missing.
            self.log = None;
            self.trouble = Some(error.to_string());
        }
    }
}

impl Keeper {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut inner = self.lock();
        while !inner.closed {
            let waited =
                self.wake.wait_timeout_while(inner, PERIOD, |inner| !inner.due && !inner.closed);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !inner.closed && inner.is_due() {
                drop(inner);
                self.write_base();
                inner = self.lock();
            }
        }
    }

    /// Has the medium take what the files have, then writes a base that says so.
    fn write_base(&self) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inner = self.lock();
        let state = inner.state.clone();
        let files = std::mem::take(&mut inner.unsynced);
        let bytes = std::mem::take(&mut inner.unsynced_bytes);
        (inner.due, inner.pending) = (false, Some(Vec::new()));
        drop(inner);

        let synced = self.sync(&files);
        if synced.is_err() {
            self.lock().doubt(&files);
        }
        let prepared = synced
            .map_err(|error| error.to_string())
            .and_then(|()| self.place.prepare(&state).map_err(|error| self.failed(&error)));

        let mut inner = self.lock();
        let pending = inner.pending.take().unwrap_or_default();
        let replaced = prepared.and_then(|mut log| {
            let added = pending.iter().try_for_each(|record| log.add(record));
            let replaced = added.and_then(|()| self.place.replace());
            replaced.map(|()| log).map_err(|error| self.failed(&error))
        });
        match replaced {
            Ok(log) => (inner.log, inner.trouble) = (Some(log), None),
            Err(trouble) => {
                inner.trouble = Some(trouble);
                inner.unsynced.extend(files);
                inner.unsynced_bytes += bytes;
            }
        }
    }

    fn failed(&self, error: &io::Error) -> String {
        format!("{}: {error}", self.place.path().display())
    }

    fn sync(&self, files: &BTreeSet<usize>) -> Result<(), StoreError> {
        self.folder.sync_files(files.iter().map(|file| {
            let is_part = *file == self.layout.len();
            if is_part { &self.part } else { &self.layout.file(*file).path }
        }))
    }
}

#[cfg(test)]
mod tests;
