//! Swarms under way: each until it was seeded enough, all until something ends them.

use ccbt_peer::policy::Time;
use ccbt_peer::wire::Metainfo;
use ccbt_peer::{Event, EventKind, Events, Progress, Swarm};
use tokio::sync::mpsc;

use crate::args::Until;
use crate::events::About;
use crate::exit::{Exit, Failure};
use crate::get::Audience;
use crate::report::{Report, Sharing};
use crate::signals::{Resizes, Signals, stopped_by};
use crate::state::Memory;

/// Events on their way from the swarms; the rest waits in the swarms' own queues.
const EVENTS: usize = 256;

/// All torrents, and everybody who wants to know.
pub(super) struct Drive<'a> {
    all: Torrents,
    audience: Audience<'a>,
    tell: mpsc::Sender<(usize, Event)>,
    told: mpsc::Receiver<(usize, Event)>,
}

struct Torrents {
    until: Until,
    torrents: Vec<Torrent>,
    /// What went wrong first.
    failure: Option<Failure>,
}

struct Torrent {
    swarm: Swarm,
    memory: Memory,
    about: About,
    name: String,
    now: Sharing,
    /// Its end is near, and known.
    leaving: bool,
}

impl<'a> Drive<'a> {
    pub(super) fn new(until: Until, audience: Audience<'a>) -> Self {
        let (tell, told) = mpsc::channel(EVENTS);
        let all = Torrents { until, torrents: Vec::new(), failure: None };
        Self { all, audience, tell, told }
    }

    pub(super) fn report(&mut self) -> &mut Report {
        self.audience.report
    }

    /// Takes on one of so many swarms.
    pub(super) fn add(
        &mut self,
        metainfo: &Metainfo,
        torrents: usize,
        (swarm, mut events): (Swarm, Events),
        memory: Memory,
    ) {
        let (index, tell) = (self.all.torrents.len(), self.tell.clone());
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if tell.send((index, event)).await.is_err() {
                    return;
                }
            }
        });
        let now = Sharing::of(&swarm.progress());
        let about = About::one_of(torrents, metainfo);
        let name = metainfo.name().to_owned();
        self.all.torrents.push(Torrent { swarm, memory, about, name, now, leaving: false });
    }

    /// Serves until the last torrent has left.
    pub(super) async fn run(self, signals: &mut Signals) -> Result<(), Failure> {
        let Self { all: mut torrents, mut audience, tell, mut told } = self;
        // The events end with the last swarm.
        drop(tell);
        audience.report.begin_sharing(Time::ZERO, &torrents.sum());
        let (mut resizes, mut signal) = (Resizes::install(), None);
        loop {
            tokio::select! {
                biased;
                exit = signals.first(), if signal.is_none() => {
                    signal = Some(exit);
                    torrents.leave_all(&mut audience).await;
                }
                () = resizes.next() => audience.report.draw(),
                event = told.recv() => match event {
                    Some((index, event)) => torrents.hear(index, &event, &mut audience).await,
                    None => break,
                }
            }
        }
        let sum = torrents.sum().sum();
        match (signal, torrents.failure) {
            (Some(exit), _) => Err(Failure::new(exit, format_args!("{}; {sum}", stopped_by(exit)))),
            (None, Some(failure)) => Err(failure),
            (None, None) => {
                audience.report.clear();
                audience.report.say(&format!("seeded: {sum}"));
                Ok(())
            }
        }
    }
}

impl Torrents {
    async fn hear(&mut self, index: usize, event: &Event, audience: &mut Audience<'_>) {
        let several = self.torrents.len() > 1;
        let torrent = &mut self.torrents[index];
        audience.hear(&torrent.about, event);
        match &event.kind {
            EventKind::Progress(now) => {
                if let Some(trouble) = torrent.memory.keep(event.at, &torrent.swarm).await {
                    audience.report.once(&trouble);
                }
                if torrent.on_progress(event.at, now, self.until) {
                    if let Some(trouble) = torrent.leave().await {
                        audience.report.once(&trouble);
                    }
                    if several {
                        let (name, sum) = (&torrent.name, torrent.now.sum());
                        audience.report.say(&format!("{name}: seeded, {sum}"));
                    }
                }
                audience.report.share(event.at, &self.sum());
            }
            EventKind::StoreFailed { error } => {
                audience.report.say(&format!("{error}; {} waits until it works", torrent.name));
            }
            EventKind::StoreRecovered => {
                audience.report.say(&format!("{}: the disk works again", torrent.name));
            }
            EventKind::ReadFailed { error } => {
                let name = &torrent.name;
                audience.report.say(&format!("{error}; what else there is of {name} is served"));
            }
            EventKind::ReadRecovered => {
                audience.report.say(&format!("{}: all of it can be read again", torrent.name));
            }
            EventKind::Stopped if !torrent.leaving => {
                let problem = format!("{}: the swarm stopped", torrent.name);
                self.lose(index, Exit::Failed, &problem, audience);
            }
            _ => {}
        }
    }

    /// One torrent is lost; the others are still there for their peers.
    fn lose(&mut self, index: usize, exit: Exit, problem: &str, audience: &mut Audience<'_>) {
        if self.torrents.len() > 1 {
            audience.report.say(problem);
        }
        let torrent = &mut self.torrents[index];
        torrent.leaving = true;
        torrent.now = torrent.now.ended();
        self.failure.get_or_insert_with(|| Failure::new(exit, problem));
    }

    async fn leave_all(&mut self, audience: &mut Audience<'_>) {
        for torrent in &mut self.torrents {
            torrent.leaving = true;
            if let Some(trouble) = torrent.leave().await {
                audience.report.once(&trouble);
            }
        }
    }

    fn sum(&self) -> Sharing {
        self.torrents.iter().map(|torrent| torrent.now).fold(Sharing::default(), Sharing::and)
    }
}

impl Torrent {
    /// Takes note of its state, which comes once a second; tells whether that makes it leave.
    fn on_progress(&mut self, at: Time, now: &Progress, until: Until) -> bool {
        self.now = Sharing::of(now);
        if self.leaving {
            self.now = self.now.ended();
            return false;
        }
        self.leaving = until.reached(now.uploaded, now.total, at.saturating_since(Time::ZERO));
        self.leaving
    }

    /// Keeps what is known and stops; a word comes back if it cannot be kept.
    async fn leave(&mut self) -> Option<String> {
        let trouble = self.memory.keep_now(&self.swarm).await;
        self.swarm.stop().await;
        trouble
    }
}
