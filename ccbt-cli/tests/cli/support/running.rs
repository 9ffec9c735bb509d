//! The program at work, and what it tells meanwhile.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Output};

use serde_json::Value;

/// The program at work, telling its events.
pub(crate) struct Running {
    /// Taken by whoever waits for its end.
    child: Option<Child>,
    events: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.args(["--events", "-"]).spawn().expect("the program starts");
        let events = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child: Some(child), events }
    }

    /// The next event of this name.
    pub(crate) fn wait_for(&mut self, name: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.events.read_line(&mut line).expect("a line"), 0, "no {name} came");
            let event: Value = serde_json::from_str(&line).expect(&line);
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Where it listens.
    pub(crate) fn addr(&mut self) -> String {
        self.wait_for("started")["listen"].as_str().expect("an address").to_owned()
    }

    pub(crate) fn end(mut self) -> Output {
        std::io::copy(&mut self.events, &mut std::io::sink()).expect("the other events");
        self.child.take().expect("the program").wait_with_output().expect("an end")
    }

    pub(crate) fn end_by(self, signal: &str) -> Output {
        let id = self.child.as_ref().expect("the program").id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("kill").success());
        self.end()
    }
}

/// A test that goes wrong leaves nobody behind who seeds for ever.
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
