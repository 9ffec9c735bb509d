//! Everybody who hears of events: the person, the log, and a watcher.

use std::io::Write;

use ccbt_peer::Event;

use crate::events::EventLog;
use crate::report::Report;

/// Hears every event, and may have a line for the person.
pub(crate) type Watcher<'a> = dyn FnMut(&Event) -> Option<String> + Send + 'a;

pub(super) struct Audience<'a> {
    pub(super) report: &'a mut Report,
    log: EventLog,
    watcher: &'a mut Watcher<'a>,
}

impl<'a> Audience<'a> {
    pub(super) fn new(report: &'a mut Report, log: EventLog, watcher: &'a mut Watcher<'a>) -> Self {
        Self { report, log, watcher }
    }

    pub(super) fn hear(&mut self, event: &Event) {
        if let Err(error) = self.log.write(event) {
            self.report.hide();
            let _ =
                writeln!(std::io::stderr(), "ccbt: --events: {error}; no more events are written");
        }
        self.report.event(event);
        if let Some(line) = (self.watcher)(event) {
            self.report.say(&line);
        }
    }
}
