//! SIGINT, SIGTERM and SIGHUP: the first asks for an orderly end, and the end comes in any case.

use std::time::Duration;

use tokio::sync::watch;

use crate::exit::{Exit, Failure};

/// How long an orderly end may take. A tracker that hangs, a full pipe or a terminal on hold must
/// not keep the process alive.
const LIMIT: Duration = Duration::from_millis(450);

/// Tells whoever asks that the person wants the program to end.
#[derive(Clone, Debug)]
pub(crate) struct Signals(watch::Receiver<Option<Exit>>);

impl Signals {
    /// Catches the signals from now on. Must be called in a runtime.
    pub(crate) fn install() -> Result<Self, Failure> {
        let mut source = platform::Source::new().map_err(Failure::of(Exit::Failed, "signals"))?;
        let (tell, told) = watch::channel(None);
        // A task of its own, so that it runs even while the main thread is stuck in a write.
        tokio::spawn(async move {
            let exit = source.next().await;
            // Nobody listens any more: then the program is ending anyway.
            let _ = tell.send(Some(exit));
            let last = tokio::time::timeout(LIMIT, source.next()).await;
            std::process::exit(last.unwrap_or(exit).code().into());
        });
        Ok(Self(told))
    }

    /// Resolves at the first signal.
    pub(crate) async fn first(&mut self) -> Exit {
        match self.0.wait_for(Option::is_some).await {
            Ok(exit) => exit.unwrap_or(Exit::Interrupted),
            Err(_) => std::future::pending().await,
        }
    }

    /// Runs `work` until it is done or a signal comes.
    pub(crate) async fn guard<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            done = work => Ok(done),
            exit = self.first() => Err(Failure::new(exit, stopped_by(exit))),
        }
    }
}

/// Tells when the terminal has got another size.
pub(crate) struct Resizes(Option<platform::Resizes>);

impl Resizes {
    /// Hears of them from now on, if the system tells. Must be called in a runtime.
    pub(crate) fn install() -> Self {
        Self(platform::Resizes::new())
    }

    /// Resolves at the next one.
    pub(crate) async fn next(&mut self) {
        match &mut self.0 {
            Some(resizes) => resizes.next().await,
            None => std::future::pending().await,
        }
    }
}

/// What the person did, in a word.
pub(crate) fn stopped_by(exit: Exit) -> &'static str {
    match exit {
        Exit::Terminated => "terminated",
        Exit::HungUp => "the terminal is gone",
        _ => "interrupted",
    }
}

#[cfg(unix)]
mod platform {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use crate::exit::Exit;

    pub(super) struct Source {
        interrupt: Signal,
        terminate: Signal,
        /// `None` where nobody should be ended by it, as below `nohup`: to catch it would undo that.
        hang_up: Option<Signal>,
    }

    impl Source {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hang_up: match hang_up_is_ignored() {
                    Some(false) => Some(signal(SignalKind::hangup())?),
                    _ => None,
                },
            })
        }

        pub(super) async fn next(&mut self) -> Exit {
            tokio::select! {
                _ = self.interrupt.recv() => Exit::Interrupted,
                _ = self.terminate.recv() => Exit::Terminated,
                () = heard(&mut self.hang_up) => Exit::HungUp,
            }
        }
    }

    async fn heard(signal: &mut Option<Signal>) {
        match signal {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }

    /// Whether this process was started to outlive its terminal; `None` where the system does not tell, and
    /// there it is left as it is.
    fn hang_up_is_ignored() -> Option<bool> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
        Some(mask & 1 << (SignalKind::hangup().as_raw_value() - 1) != 0)
    }

    pub(super) struct Resizes(Signal);

    impl Resizes {
        pub(super) fn new() -> Option<Self> {
            signal(SignalKind::window_change()).map(Self).ok()
        }

        pub(super) async fn next(&mut self) {
            if self.0.recv().await.is_none() {
                std::future::pending().await
            }
        }
    }
}

#[cfg(not(unix))]
mod platform {
    use crate::exit::Exit;

    pub(super) struct Resizes;

    impl Resizes {
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) async fn next(&mut self) {}
    }

    pub(super) struct Source;

    impl Source {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) -> Exit {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Exit::Interrupted,
                Err(_) => std::future::pending().await,
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_resize_is_heard() {
        let mut resizes = Resizes::install();
        let own = std::process::id().to_string();
        let sent = std::process::Command::new("kill").args(["-WINCH", &own]).status();
        assert!(sent.unwrap().success());
        resizes.next().await;
    }
}
