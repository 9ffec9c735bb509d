//! How the program ends: one exit code for each kind of end, and a word for the person.

use std::fmt;
use std::process::ExitCode;

/// Every way in which `ccbt` can end. The numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Something that is not listed below.
    Failed = 1,
    /// A command line or a torrent that cannot be used.
    Refused = 2,
    /// No payload came for `--stop-timeout`, or nobody could be reached.
    Stalled = 3,
    /// The disk, or what lies on it, stands in the way.
    Disk = 4,
    /// SIGHUP.
    HungUp = 129,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// The number for the operating system.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The person wanted it.
    pub(crate) fn is_signal(self) -> bool {
        matches!(self, Self::HungUp | Self::Interrupted | Self::Terminated)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The end of a command that did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// One line that names the culprit.
    pub(crate) message: String,
}

impl Failure {
    /// A failure with its code, and one line about it.
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }

    /// For `map_err`: names the culprit in front of the cause.
    pub(crate) fn of<E: fmt::Display>(
        exit: Exit,
        culprit: impl fmt::Display,
    ) -> impl FnOnce(E) -> Self {
        move |cause| Self::new(exit, format_args!("{culprit}: {cause}"))
    }
}

/// The text about exit codes below `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done: every piece of the chosen files is verified
  1    failed, or the command of --on-complete did
  2    the command line or the torrent cannot be used
  3    no payload for --stop-timeout
  4    disk: cannot read or write, too little room, or a file of something else is in the way
  129  the terminal is gone (SIGHUP)
  130  interrupted (SIGINT)
  143  terminated (SIGTERM)";
