//! Everybody who hears of events: the person, the log, and a watcher. Once a second the rules say what they
//! failed on.

use std::io::Write;

use ccbt_peer::{Event, EventKind};

use crate::events::{About, EventLog};
use crate::report::Report;
use crate::rules::Judges;

/// Hears every event, and may have a line for the person.
pub(crate) type Watcher<'a> = dyn FnMut(&Event) -> Option<String> + Send + 'a;

pub(crate) struct Audience<'a> {
    pub(crate) report: &'a mut Report,
    log: EventLog,
    watcher: &'a mut Watcher<'a>,
    judges: Judges,
}

impl<'a> Audience<'a> {
    pub(crate) fn new(
        report: &'a mut Report,
        log: EventLog,
        watcher: &'a mut Watcher<'a>,
        judges: Judges,
    ) -> Self {
        Self { report, log, watcher, judges }
    }

    pub(crate) fn hear(&mut self, about: &About, event: &Event) {
        if let Err(error) = self.log.write(about, event) {
            self.report.hide();
            let _ =
                writeln!(std::io::stderr(), "ccbt: --events: {error}; no more events are written");
        }
        self.report.event(about.name.as_deref(), event);
        if let Some(line) = (self.watcher)(event) {
            self.report.say(&line);
        }
        match &event.kind {
            EventKind::Progress(_) => {
                self.judges.new_troubles().for_each(|trouble| self.report.say(&trouble));
            }
            EventKind::StateFailed { error } => {
                self.report.warn(&format!("{error}; the next run will check more than it had to"));
            }
            _ => {}
        }
    }
}
