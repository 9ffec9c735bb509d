//! `cargo xtask fuzz`: every fuzz target for a minute, and what became of it.
//!
//! What the fuzzer finds worth keeping goes to `target/fuzz/corpus`, so that the next run begins where this one
//! ended; `--keep` copies what adds to the committed corpora, which are replayed as ordinary tests.

mod outcome;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use outcome::Outcome;

/// The packages that have targets.
const PACKAGES: [&str; 2] = ["ccbt-wire", "ccbt-peer"];
/// Memory that one input may cost, in MiB: the fuzzer's own bookkeeping and all.
const MEMORY: u32 = 2048;
/// Seconds that one input may take.
const SLOW: u32 = 10;
/// No more than so many bytes are committed of the corpus of a target, and ...
const ROOM: u64 = 12 * 1024;
/// ... no more than so many inputs are added at a time, of all lengths.
const ADDED: usize = 30;

/// Which targets, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only targets whose name contains one of these
    filters: Vec<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Copy inputs that reach new code into the committed corpora, as far as there is room
    #[arg(long)]
    keep: bool,
    /// Say which targets there are
    #[arg(long)]
    list: bool,
}

/// A target of one of the packages.
struct Target {
    package: &'static str,
    name: String,
}

/// Runs the targets; false when one crashed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let targets = targets(root, &options.filters)?;
    if options.list {
        targets.iter().for_each(|target| println!("{} ({})", target.name, target.package));
        return Ok(true);
    }
    if targets.is_empty() {
        bail!("no target has such a name; --list shows them");
    }
    let sh = Shell::new()?;
    tools(&sh)?;
    for package in PACKAGES {
        if targets.iter().any(|target| target.package == package) {
            build(&sh, root, package)?;
        }
    }
    let mut crashed = Vec::new();
    println!(
        "{:<20} {:>12} {:>9} {:>8} {:>7}",
        "target", "executions", "a second", "inputs", "crashes"
    );
    for target in &targets {
        let outcome = fuzz(&sh, root, target, options)?;
        println!(
            "{:<20} {:>12} {:>9} {:>8} {:>7}",
            target.name,
            outcome.executions,
            outcome.executions / u64::from(options.seconds.max(1)),
            outcome.inputs,
            u8::from(outcome.crash.is_some())
        );
        crashed.extend(outcome.crash.map(|why| (target, why)));
    }
    for (target, why) in &crashed {
        eprintln!("FAILED {}: {why}", target.name);
        eprintln!("  the input is in {}", artifacts(root, target).display());
    }
    Ok(crashed.is_empty())
}

fn targets(root: &Path, filters: &[String]) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for package in PACKAGES {
        let folder = root.join(package).join("fuzz/fuzz_targets");
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
        names.sort();
        targets.extend(names.into_iter().map(|name| Target { package, name }));
    }
    targets.retain(|target| {
        filters.is_empty() || filters.iter().any(|filter| target.name.contains(filter))
    });
    Ok(targets)
}

/// What has to be there; an error says how it comes there.
fn tools(sh: &Shell) -> Result<()> {
    let there =
        |command: xshell::Cmd<'_>| command.quiet().ignore_stdout().ignore_stderr().run().is_ok();
    if !there(cmd!(sh, "cargo +nightly --version")) {
        bail!("fuzzing needs a nightly compiler: rustup toolchain install nightly");
    }
    if !there(cmd!(sh, "cargo fuzz --version")) {
        println!("cargo-fuzz is not installed: installing it");
        cmd!(sh, "cargo install --locked cargo-fuzz").run()?;
    }
    Ok(())
}

fn build(sh: &Shell, root: &Path, package: &str) -> Result<()> {
    let _folder = sh.push_dir(root.join(package).join("fuzz"));
    let target = builds(root);
    cmd!(sh, "cargo +nightly fuzz build").env("CARGO_TARGET_DIR", target).run()?;
    Ok(())
}

fn fuzz(sh: &Shell, root: &Path, target: &Target, options: &Options) -> Result<Outcome> {
    let found = builds(root).join("corpus").join(&target.name);
    let artifacts = artifacts(root, target);
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&artifacts)?;
    let corpus = root.join(target.package).join("fuzz/corpus").join(&target.name);
    let limits = [
        format!("-max_total_time={}", options.seconds),
        format!("-rss_limit_mb={MEMORY}"),
        format!("-timeout={SLOW}"),
        format!("-artifact_prefix={}/", artifacts.display()),
        "-print_final_stats=1".to_owned(),
    ];
    let binary = binary(root, &target.name)?;
    let output = cmd!(sh, "{binary} {limits...} {found} {corpus}");
    let output = output.quiet().ignore_status().output()?;
    let outcome = Outcome::of(&String::from_utf8_lossy(&output.stderr), output.status.success());
    if options.keep && outcome.crash.is_none() {
        keep(sh, &binary, &found, &corpus)?;
    }
    Ok(outcome)
}

/// Where the fuzzer was built, for whichever machine this is.
fn binary(root: &Path, name: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(builds(root))? {
        let path = entry?.path().join("release").join(name);
        if path.is_file() {
            return Ok(path);
        }
    }
    bail!("{name} was not built");
}

/// Where it builds, apart from everything else: with other flags.
fn builds(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| root.join("target"), PathBuf::from).join("fuzz")
}

fn artifacts(root: &Path, target: &Target) -> PathBuf {
    builds(root).join("artifacts").join(&target.name)
}

/// Copies some of what reaches code that the committed corpus does not reach.
fn keep(sh: &Shell, binary: &Path, found: &Path, corpus: &Path) -> Result<()> {
    let merged = tempfile::tempdir()?;
    let folder = merged.path();
    // Of several inputs that reach the same the merge takes the smallest.
    cmd!(sh, "{binary} -merge=1 {folder} {corpus} {found}").quiet().ignore_stderr().run()?;
    let known = names(corpus)?;
    let mut room = ROOM.saturating_sub(known.iter().map(|(length, _)| length).sum());
    let known: Vec<Vec<u8>> = known.iter().flat_map(|(_, path)| fs::read(path)).collect();
    let mut fresh = names(folder)?;
    fresh.retain(|(_, path)| fs::read(path).is_ok_and(|content| !known.contains(&content)));
    let step = fresh.len().div_ceil(ADDED).max(1);
    for (length, path) in fresh.into_iter().step_by(step) {
        let (Some(name), Some(left)) = (path.file_name(), room.checked_sub(length)) else { break };
        room = left;
        fs::copy(&path, corpus.join(name))?;
    }
    Ok(())
}

/// The files of a folder with their lengths, the shortest first.
fn names(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.len(), entry.path()));
    }
    files.sort();
    Ok(files)
}
