//! Where it is measured: what is said of the machine, how busy it is, and a network of our own.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit, setrlimit};
use tempfile::TempDir;

/// More than this runs beside us: walls say little then.
const QUIET: f64 = 0.5;
/// What our folders are called, before the number of the process and something random.
const PREFIX: &str = "ccbt-versus-";
/// Set in the process that runs inside the network of its own.
const INSIDE: &str = "CCBT_VERSUS_ISOLATED";

/// Processor, cores and kernel in one line.
pub(super) fn about() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.map_or("unknown processor", |(_, model)| model);
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}

/// The load average of the last minute.
pub(super) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// Says how busy the machine is, and warns when it is too busy.
pub(super) fn report() -> String {
    let load = load();
    let warning = if load > QUIET { ": not quiet, trust ratios and least values only" } else { "" };
    format!("load average before: {load:.2}{warning}")
}

/// A new folder on tmpfs if that has room for `bytes`, else where temporary files go.
pub(super) fn folder(bytes: u64) -> Result<TempDir> {
    let shm = Path::new("/dev/shm");
    remove_stale(shm);
    let room = statvfs(shm).map(|about| about.f_bavail.saturating_mul(about.f_frsize));
    let has_room = room.is_ok_and(|room| room > bytes);
    let parent = if has_room { shm.to_owned() } else { std::env::temp_dir() };
    let prefix = format!("{PREFIX}{}-", std::process::id());
    Ok(tempfile::Builder::new().prefix(&prefix).tempdir_in(parent)?)
}

/// Removes what a session left that was killed: on tmpfs it would hold memory until the next start of the machine.
fn remove_stale(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            // Somebody else's is not ours to remove, and not removed then.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Lets us, and what we start, open as many files as the system allows.
pub(super) fn raise_limits() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Starts this program again in a network with nothing but loopback, if that is possible; does not return then.
pub(super) fn isolate(binary: &Path) -> Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(());
    }
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    let works = |way: &&&[&str]| {
        let mut command = Command::new("unshare");
        command.args(**way).args(["ip", "link", "set", "lo", "up"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let Some(way) = ways.iter().find(works) else {
        println!(
            "note: no network namespace (unshare --net), so this runs on the machine's own loopback"
        );
        return Ok(());
    };
    let mut command = Command::new("unshare");
    command.args(*way).args(["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]);
    command.arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
    // A later value counts: the binary that was just built is not built again without a network.
    command.arg("--binary").arg(binary).env(INSIDE, "1");
    bail!("unshare does not start: {}", command.exec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_processes_that_are_gone_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let ours = make(&format!("{PREFIX}{}-a", std::process::id()));
        // No process has a number this large.
        let stale = make(&format!("{PREFIX}4294967295-b"));
        let other = make("something else");
        remove_stale(parent.path());
        assert!(ours.exists() && other.exists() && !stale.exists());
    }
}
