//! The task that runs the core of a swarm.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ccbt_policy::{EvictionPolicy, Time};
use ccbt_wire::{BLOCK_LEN, Metainfo};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::announce::{Announcer, Whom};
use super::binding::Binding;
use super::budget::{Account, Budget};
use super::clock::Clock;
use super::connection::Connection;
use super::limit::Limits;
use super::mailbox::Mailbox;
use super::opening::{Begin, Opening};
use super::paused::Failing;
use super::pool::Pool;
use super::reserve;
use super::transport::Dialer;
use super::unreadable::Unreadable;
use super::writer::{Job, Reply};
use super::{CATCH_UP, LATE, Node, Ours, Report, Shared};
use crate::addresses::Addresses;
use crate::budget::Amount;
use crate::choice::Choice;
use crate::close::CloseReason;
use crate::event::{EventKind, Progress};
use crate::events::Sink;
use crate::session::SessionConfig;
use crate::source::{Found, PeerSource, SourceContext, Totals, is_fit_for_private};
use crate::swarm::{Action, Input, PeerKey, SwarmConfig, SwarmCore};

/// Reports that may wait for the swarm.
const REPORTS: usize = 256;
/// Reports that are handled before the deadlines are looked at.
const BATCH: usize = 32;
/// Deadlines that are so late are looked at even if there are more reports to be heard.
const STARVED: Duration = Duration::from_millis(100);
/// Sources may say goodbye for so long.
const GOODBYE: Duration = Duration::from_millis(400);

/// Everything that a swarm is made of.
pub(crate) struct Setup {
    pub(crate) begin: Begin,
    pub(crate) config: SwarmConfig,
    pub(crate) addresses: Addresses,
    pub(crate) policy: Arc<dyn EvictionPolicy>,
    pub(crate) dialer: Arc<dyn Dialer>,
    pub(crate) binding: Binding,
    pub(crate) dht: Option<OurNode>,
    pub(crate) sources: Vec<Box<dyn PeerSource>>,
    pub(crate) node: Option<Node>,
    pub(crate) limits: Limits,
    pub(crate) budget: Option<Budget>,
    pub(crate) events: Sink,
    pub(crate) progress: Arc<Mutex<Progress>>,
    /// Where the torrent is told when its store is there.
    pub(crate) torrent: watch::Sender<Option<Arc<Metainfo>>>,
}

/// Our node of the DHT, as far as peers tell of theirs and hear of it.
pub(crate) struct OurNode {
    pub(crate) port: u16,
    /// Tells it of another node.
    pub(crate) add: Box<dyn Fn(SocketAddr) + Send + Sync>,
}

/// Starts the swarm's task and thread; gives the way to report to it.
pub(crate) fn run(setup: Setup) -> std::io::Result<mpsc::Sender<Report>> {
    let (reports, inbox) = mpsc::channel(REPORTS);
    let listen = setup.node.as_ref().map(Node::local_addr);
    let (private, begin) = (setup.config.private, setup.begin);
    let have = begin.have();
    let session = SessionConfig {
        info_hash: setup.config.info_hash,
        peer_id: setup.config.peer_id,
        metadata: begin.metadata(),
        listen_port: listen.map(|addr| addr.port()),
        pex: setup.config.pex && !private,
        dht_port: setup.dht.as_ref().map(|dht| dht.port),
    };
    let hidden = setup.config.super_seeds(&have);
    let shared = Arc::new(Shared {
        clock: Clock::start(),
        session: Arc::new(session),
        data: OnceLock::new(),
        ours: RwLock::new(Ours {
            have: have.clone(),
            log: Vec::new(),
            told: 0,
            aside: BTreeSet::new(),
            hidden,
        }),
        buffers: Pool::default(),
        limits: setup.limits,
        reports: reports.clone(),
    });
    let opening = begin.start(&shared, setup.torrent)?;
    if let Some(node) = &setup.node {
        node.add(setup.config.info_hash, &shared);
    }
    let mut core = SwarmCore::new(setup.config, have, setup.policy);
    core.recall(shared.clock.now(), &setup.addresses);
    let account = setup.budget.map(|budget| budget.join(core.usage().most));
    let (choices, waiting) = mpsc::unbounded_channel();
    tokio::spawn(pass_on(waiting, shared.clone()));
    let driver = Driver {
        shared,
        choices,
        dialer: setup.dialer,
        binding: setup.binding,
        dht: setup.dht,
        mailboxes: HashMap::new(),
        events: setup.events,
        progress: setup.progress,
        totals: watch::Sender::new(totals(core.progress(), false)),
        started_complete: core.is_complete(),
        opening,
        open_sources: watch::Sender::new(private),
        announcer: Announcer::default(),
        stopping: false,
        failing: Failing::default(),
        unreadable: Unreadable::default(),
        trouble: None,
        account,
        core,
    };
    tokio::spawn(driver.run(inbox, setup.sources, setup.node));
    Ok(reports)
}

pub(super) struct Driver {
    pub(super) core: SwarmCore,
    pub(super) shared: Arc<Shared>,
    dialer: Arc<dyn Dialer>,
    binding: Binding,
    dht: Option<OurNode>,
    mailboxes: HashMap<PeerKey, Arc<Mailbox>>,
    /// To the writer, in the order in which they came.
    choices: mpsc::UnboundedSender<Job>,
    events: Sink,
    progress: Arc<Mutex<Progress>>,
    totals: watch::Sender<Totals>,
    pub(super) started_complete: bool,
    pub(super) opening: Opening,
    /// Stops the sources that a private torrent does not allow (BEP 27).
    pub(super) open_sources: watch::Sender<bool>,
    announcer: Announcer,
    stopping: bool,
    pub(super) failing: Failing,
    pub(super) unreadable: Unreadable,
    /// The last trouble of the store beside its work.
    trouble: Option<String>,
    /// What it shares with other swarms.
    account: Option<Account>,
}

impl Driver {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Report>,
        sources: Vec<Box<dyn PeerSource>>,
        node: Option<Node>,
    ) {
        let listen = node.as_ref().map(Node::local_addr);
        let progress = self.core.progress();
        let Progress { have, need, pieces, .. } = progress;
        self.emit(EventKind::Started { listen, have, need, pieces });
        let (found, mut finds) = mpsc::channel(64);
        let (stop, stopped) = watch::channel(false);
        let mut sources = self.start_sources(sources, listen.map(|a| a.port()), &found, &stopped);
        drop((found, stopped));
        self.fit();
        let mut batch = Vec::with_capacity(BATCH);
        while !self.stopping {
            let clock = self.shared.clock;
            let wake = [self.core.deadline(), self.announcer.next()].into_iter().flatten().min();
            let wake = wake.map(|at| clock.instant(at));
            tokio::select! {
                biased;
                count = inbox.recv_many(&mut batch, BATCH) => if count == 0 { self.stopping = true },
                Some(found) = finds.recv() => self.found(found),
                () = changed(&mut self.account) => self.fit(),
                () = sleep_until(wake) => self.on_time(&mut inbox, &mut batch).await,
            }
            for report in batch.drain(..) {
                self.on_report(report);
            }
            if self.is_starved() {
                self.on_time(&mut inbox, &mut batch).await;
            }
            self.act().await;
        }
        drop(node);
        // What it had is for others now.
        self.account = None;
        // Whoever still reports must not wait for us.
        inbox.close();
        let _ = stop.send(true);
        let _ = self.open_sources.send(true);
        let goodbye = async { while sources.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        drop((sources, inbox));
        let Self { events, shared, mailboxes, choices, core, opening, .. } = self;
        let clock = shared.clock;
        drop((shared, mailboxes, choices, core));
        // The writer ends when the last connection has let go of it; verified pieces are still written.
        if let Some(writer) = opening.writer {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
        events.emit(clock.now(), EventKind::Stopped);
        events.close();
    }

    fn start_sources(
        &self,
        sources: Vec<Box<dyn PeerSource>>,
        port: Option<u16>,
        found: &mpsc::Sender<Found>,
        stopped: &watch::Receiver<bool>,
    ) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let config = &self.shared.session;
        for source in sources {
            let who = (config.info_hash, config.peer_id, port);
            let what = (source.name(), source.kind());
            let totals = self.totals.subscribe();
            let stop = if is_fit_for_private(source.kind()) {
                stopped.clone()
            } else {
                self.open_sources.subscribe()
            };
            let context = SourceContext::new(who, what, totals, stop, found.clone());
            tasks.spawn(source.run(context.bound(self.binding.clone())));
        }
        tasks
    }

    fn on_report(&mut self, report: Report) {
        let now = self.shared.clock.now();
        match report {
            Report::Dialed(key) => self.core.handle(now, Input::Dialed(key)),
            Report::DialFailed(key, error) => {
                self.mailboxes.remove(&key);
                let input = if reserve::is_lack(&error) {
                    Input::NoDescriptor(key)
                } else {
                    Input::DialFailed { key, error: error.to_string() }
                };
                self.core.handle(now, input);
            }
            Report::Incoming(addr, reply) => {
                let admitted = self.core.admit(now, addr).map(|key| (key, self.mailbox(key)));
                if let Err(Ok((key, _))) = reply.send(admitted) {
                    let reason = CloseReason::PeerLeft;
                    self.core.handle(now, Input::Closed { key, reason });
                }
            }
            Report::Session(key, events) => {
                for event in events {
                    self.core.handle(now, Input::Session { key, event });
                }
            }
            Report::Closed(key, reason) => {
                self.core.handle(now, Input::Closed { key, reason });
                self.mailboxes.remove(&key);
            }
            Report::Prints(piece, prints) => {
                self.core.handle(now, Input::Prints { piece, prints });
            }
            Report::Stored(pieces) => {
                pieces.into_iter().for_each(|piece| self.core.handle(now, Input::Stored(piece)));
            }
            Report::PieceFailed(piece) => self.core.handle(now, Input::PieceFailed(piece)),
            Report::Opened(opened) => self.opened(now, opened),
            Report::WriteFailed(error) => self.on_write_failed(&error),
            Report::WriteBack => self.on_write_back(),
            Report::ReadFailed(run, error) => self.on_read_failed(&run, &error),
            Report::Looked(back, any) => self.on_looked(back, any),
            Report::Trouble(error) => self.on_trouble(error),
            Report::Finish => self.failing.finish_due = true,
            Report::Choose(choice, reply) => self.choose(&choice, reply),
            Report::Wish(input) => self.core.handle(now, input),
            // Who asked may have given up.
            Report::Addresses(reply) => _ = reply.send(self.core.addresses(now)),
            Report::Look(reply) => _ = reply.send(self.core.snapshot(now)),
            Report::Stop => self.stop(),
        }
    }

    /// The store hears of it first: it may not be able to, and pieces are to find it ready. Without a store
    /// the reply is dropped, as after the swarm's end.
    fn choose(&self, choice: &Choice, reply: Reply) {
        let Some(metainfo) = &self.opening.metainfo else { return };
        let pieces = Arc::new(choice.pieces(metainfo));
        // The queue ends with the writer's; who asked hears of it then.
        let _ = self.choices.send(Job::Choose(choice.wanted(), Some((pieces, reply))));
    }

    pub(super) fn stop(&mut self) {
        self.stopping = true;
        self.core.handle(self.shared.clock.now(), Input::Stop);
    }

    async fn on_time(&mut self, inbox: &mut mpsc::Receiver<Report>, batch: &mut Vec<Report>) {
        let now = self.shared.clock.now();
        self.announce_due(now);
        let Some(deadline) = self.core.deadline().filter(|at| *at <= now) else { return };
        if now.saturating_since(deadline) > LATE {
            // We were suspended or starved. Nobody is to be judged before he was heard.
            tokio::time::sleep(CATCH_UP).await;
            while let Ok(report) = inbox.try_recv() {
                batch.push(report);
            }
            for report in std::mem::take(batch) {
                self.on_report(report);
            }
        }
        self.core.on_deadline(self.shared.clock.now());
    }

    /// Reports come so fast that the timer gets no turn.
    fn is_starved(&self) -> bool {
        let now = self.shared.clock.now();
        self.core.deadline().is_some_and(|at| now.saturating_since(at) > STARVED)
    }

    fn found(&mut self, found: Found) {
        let Found { source, kind, result } = found;
        if !is_fit_for_private(kind) && *self.open_sources.borrow() {
            return;
        }
        match result {
            Ok((peers, warning)) => {
                self.emit(EventKind::SourceReplied { source, peers: peers.len(), warning });
                let now = self.shared.clock.now();
                self.core.handle(now, Input::Found { source: kind, peers });
                self.tell_usage();
            }
            Err(error) => self.emit(EventKind::SourceFailed { source, error }),
        }
    }

    async fn act(&mut self) {
        if std::mem::take(&mut self.failing.finish_due) {
            self.finish().await;
        }
        while let Some(action) = self.core.poll_action() {
            match action {
                Action::Dial { key, addr } => self.dial(key, addr),
                Action::Tell { key, tell } => {
                    if let Some(mailbox) = self.mailboxes.get(&key) {
                        mailbox.tell(tell);
                    }
                }
                Action::Announce(piece) => {
                    // It may have started over a moment before it turned out right.
                    if let Some(data) = self.shared.data() {
                        data.assemblies.seal(piece);
                    }
                    self.shared.add_piece(piece);
                    let now = self.shared.clock.now();
                    self.announcer.finished(now, self.mailboxes.len());
                    self.announce_due(now);
                }
                Action::ShowAll => {
                    self.shared.show_all();
                    self.announce();
                }
                Action::Forget(piece) => {
                    if let Some(data) = self.shared.data() {
                        data.assemblies.start_over(piece);
                    }
                }
                Action::Metadata(info) => self.learn(&info),
                Action::DhtNode(addr) => {
                    if let Some(dht) = &self.dht {
                        (dht.add)(addr);
                    }
                }
                Action::Close { key, reason } => {
                    if let Some(mailbox) = self.mailboxes.remove(&key) {
                        mailbox.close(reason);
                    }
                }
                Action::Emit(EventKind::Finished) => self.finish().await,
                Action::Emit(kind) => {
                    if let EventKind::Progress(progress) = kind {
                        self.note(progress);
                    }
                    self.emit(kind);
                }
            }
        }
    }

    async fn finish(&mut self) {
        if self.core.progress().need > 0 {
            // Something else was chosen in the meantime.
            return;
        }
        let Some(store) = self.shared.data().map(|data| data.store.clone()) else { return };
        let finished = tokio::task::spawn_blocking(move || (store.finish(), store.trouble())).await;
        match finished {
            Ok((Err(error), _)) => self.on_finish_failed(&error),
            Ok((Ok(()), trouble)) => {
                trouble.into_iter().for_each(|error| self.on_trouble(error));
                self.on_finished();
            }
            Err(_) => self.on_finished(),
        }
    }

    /// Each trouble is told once.
    fn on_trouble(&mut self, error: String) {
        if self.trouble.as_ref() != Some(&error) {
            self.emit(EventKind::StateFailed { error: error.clone() });
            self.trouble = Some(error);
        }
    }

    fn note(&self, progress: Progress) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
        self.tell_usage();
        let completed = !self.started_complete && self.core.is_complete();
        self.totals.send_replace(totals(progress, completed));
    }

    /// Keeps to what other swarms leave us.
    fn fit(&mut self) {
        let Some(account) = &mut self.account else { return };
        let Amount { connections, half_open } = account.grant();
        self.core.handle(self.shared.clock.now(), Input::Budget { connections, half_open });
        self.tell_usage();
    }

    fn tell_usage(&self) {
        if let Some(account) = &self.account {
            account.report(self.core.usage());
        }
    }

    /// Everybody hears of everything that is finished.
    pub(super) fn announce(&self) {
        self.shared.tell_all();
        self.mailboxes.values().for_each(|mailbox| mailbox.wake());
    }

    fn announce_due(&mut self, now: Time) {
        match self.announcer.due(now) {
            Some(Whom::All) => self.announce(),
            Some(Whom::Unchoked) => {
                let unchoked = self.core.unchoked().filter_map(|key| self.mailboxes.get(&key));
                unchoked.for_each(|mailbox| mailbox.wake());
            }
            None => {}
        }
    }

    fn mailbox(&mut self, key: PeerKey) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::default());
        self.mailboxes.insert(key, mailbox.clone());
        mailbox
    }

    fn dial(&mut self, key: PeerKey, addr: SocketAddr) {
        let mailbox = self.mailbox(key);
        let (shared, dialer) = (self.shared.clone(), self.dialer.clone());
        tokio::spawn(async move {
            let dialed = tokio::select! {
                dialed = dialer.dial(addr) => dialed,
                () = mailbox.closed() => return,
            };
            match dialed {
                Ok(transport) => {
                    shared.report(Report::Dialed(key)).await;
                    tokio::spawn(Connection::outgoing(shared, key, mailbox, transport).run());
                }
                Err(error) => {
                    shared.report(Report::DialFailed(key, error)).await;
                }
            }
        });
    }

    pub(super) fn emit(&self, kind: EventKind) {
        self.events.emit(self.shared.clock.now(), kind);
    }
}

/// Hands jobs to the writer, one behind the other; none waits in the swarm's own task.
async fn pass_on(mut jobs: mpsc::UnboundedReceiver<Job>, shared: Arc<Shared>) {
    while let Some(job) = jobs.recv().await {
        if let Some(data) = shared.data() {
            data.writer.write(vec![job]).await;
        }
    }
}

fn totals(progress: Progress, completed: bool) -> Totals {
    Totals {
        downloaded: progress.downloaded,
        uploaded: progress.uploaded,
        // 0 would be that of a seed, to whom trackers name no other.
        left: if progress.pieces == 0 {
            BLOCK_LEN.into()
        } else {
            progress.total - progress.verified
        },
        completed,
    }
}

async fn changed(account: &mut Option<Account>) {
    match account {
        Some(account) => account.changed().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
