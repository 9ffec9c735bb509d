//! `--on-complete`: a command of the person's, run beside the swarm.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use ccbt_peer::wire::Metainfo;
use tokio::task::JoinHandle;

/// A command that is run once, when everything that is wanted is verified.
#[derive(Debug, Default)]
pub(super) struct Hook {
    command: Option<OsString>,
    running: Option<JoinHandle<Result<(), String>>>,
    /// It failed, and that was told.
    told: bool,
}

impl Hook {
    pub(super) fn new(command: Option<&OsString>) -> Self {
        Self { command: command.cloned(), ..Self::default() }
    }

    /// Runs the command, if there is one. What torrents call themselves reaches it by the environment alone, so
    /// that no shell reads it as code.
    pub(super) fn start(&mut self, metainfo: &Metainfo, folder: &Path, chosen: (usize, u64)) {
        let Some(line) = self.command.take() else { return };
        let path = folder.join(metainfo.name());
        let (files, bytes) = chosen;
        let mut command = shell(&line);
        let path = std::path::absolute(&path).unwrap_or(path);
        command
            .env("CCBT_NAME", harmless(metainfo.name().as_ref()))
            .env("CCBT_PATH", harmless(path.as_os_str()))
            .env("CCBT_INFO_HASH", metainfo.info_hash().to_string())
            .env("CCBT_FILES", files.to_string())
            .env("CCBT_BYTES", bytes.to_string())
            .stdin(Stdio::null())
            // Our standard output is words or events, each line whole.
            .stdout(io::stderr());
        self.running = Some(tokio::task::spawn_blocking(move || run(command)));
    }

    /// Resolves when the command has failed, with what is to be told; never if it does well, or is none.
    pub(super) async fn failure(&mut self) -> String {
        if let Err(trouble) = self.wait().await {
            self.told = true;
            return trouble;
        }
        std::future::pending().await
    }

    /// Waits for the command's end, if it runs.
    ///
    /// # Errors
    /// That it failed; why, unless that was told before.
    pub(super) async fn end(&mut self) -> Result<(), String> {
        self.wait().await?;
        if self.told { Err("--on-complete failed".to_owned()) } else { Ok(()) }
    }

    async fn wait(&mut self) -> Result<(), String> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let result = running.await.unwrap_or_else(|error| Err(told(&error)));
        self.running = None;
        result
    }
}

#[cfg(unix)]
fn shell(line: &OsString) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    command
}

/// A shell reads no variable as code.
#[cfg(unix)]
fn harmless(text: &OsStr) -> Cow<'_, OsStr> {
    text.into()
}

/// This one does: it puts variables into the line before it reads that.
#[cfg(not(unix))]
fn harmless(text: &OsStr) -> Cow<'_, OsStr> {
    OsString::from(text.to_string_lossy().replace(['&', '|', '<', '>', '^', '%', '"', '!'], "_"))
        .into()
}

#[cfg(not(unix))]
fn shell(line: &OsString) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/C").arg(line);
    command
}

fn run(mut command: Command) -> Result<(), String> {
    let status = command.status().map_err(|error| told(&error))?;
    if status.success() { Ok(()) } else { Err(told(&status)) }
}

fn told(what: &dyn std::fmt::Display) -> String {
    format!("--on-complete: {what}")
}

#[cfg(all(test, unix))]
mod tests {
    use ccbt_peer::wire::metainfo::build;

    use super::*;

    fn started(line: &str) -> Hook {
        let metainfo = Metainfo::parse(&build::single_file("$(exit 4)", 16_384, b"x", None));
        let metainfo = metainfo.expect("a torrent");
        let mut hook = Hook::new(Some(&line.into()));
        hook.start(&metainfo, Path::new("folder"), (1, 1));
        hook
    }

    #[tokio::test]
    async fn a_name_is_no_code() {
        assert_eq!(started("test \"$CCBT_NAME\" = '$(exit 4)'").end().await, Ok(()));
        let path = "test \"${CCBT_PATH##*/folder/}\" = \"$CCBT_NAME\"";
        assert_eq!(started(path).end().await, Ok(()));
    }

    #[tokio::test]
    async fn a_failure_is_told_once_and_known_at_the_end() {
        let mut hook = started("exit 3");
        let trouble = "--on-complete: exit status: 3".to_owned();
        assert_eq!(hook.failure().await, trouble);
        assert_eq!(hook.end().await, Err("--on-complete failed".to_owned()));
        assert_eq!(started("exit 3").end().await, Err(trouble));
    }

    #[tokio::test]
    async fn without_a_command_nothing_is_run() {
        let metainfo = Metainfo::parse(&build::single_file("a", 16_384, b"x", None)).unwrap();
        let mut hook = Hook::new(None);
        hook.start(&metainfo, Path::new("folder"), (1, 1));
        assert_eq!(hook.end().await, Ok(()));
    }
}
