//! `cargo xtask check`: every gate but the tests, the same here and in CI.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::metadata::{self, Package};
use crate::tidy;

/// Runs all gates, also behind one that fails; false when one failed.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    let packages = metadata::packages(root)?;
    let mut gates = Gates { sh, failed: Vec::new() };
    gates.cargo("fmt", "fmt --all -- --check");
    gates.own("tidy", "cargo xtask tidy", || tidy::run(root));
    gates.own("rust-version", "grep rust-version Cargo.toml", || rust_version(&packages));
    gates.cargo("clippy", "clippy --workspace --all-targets --all-features -- -D warnings");
    for package in packages.iter().filter(|package| package.is_library) {
        for (what, flags) in feature_sets(package) {
            let name = format!("{} {what}", package.name);
            gates.cargo(&name, &format!("clippy -p {} {flags} -- -D warnings", package.name));
        }
    }
    gates.docs();
    gates.deny();
    Ok(gates.report())
}

/// Runs steps, times them, remembers what failed and how to repeat it.
struct Gates {
    sh: Shell,
    failed: Vec<(String, String)>,
}

impl Gates {
    fn cargo(&mut self, name: &str, arguments: &str) {
        let sh = self.sh.clone();
        let words: Vec<&str> = arguments.split(' ').collect();
        self.own(name, &format!("cargo {arguments}"), || {
            Ok(cmd!(sh, "cargo {words...}").quiet().run().is_ok())
        });
    }

    fn own(&mut self, name: &str, repeat: &str, step: impl FnOnce() -> Result<bool>) {
        println!("== {name}");
        let started = Instant::now();
        let ok = step().unwrap_or_else(|error| {
            eprintln!("{error:#}");
            false
        });
        let verdict = if ok { "ok" } else { "FAILED" };
        println!("   {verdict} {name}: {:.1} s", started.elapsed().as_secs_f64());
        if !ok {
            self.failed.push((name.to_owned(), repeat.to_owned()));
        }
    }

    fn docs(&mut self) {
        let sh = self.sh.clone();
        let docs = cmd!(sh, "cargo doc --workspace --no-deps --all-features")
            .env("RUSTDOCFLAGS", "-D warnings")
            .quiet();
        self.own("docs", &format!("RUSTDOCFLAGS='-D warnings' {docs}"), || Ok(docs.run().is_ok()));
    }

    fn deny(&mut self) {
        let works = |command: xshell::Cmd<'_>| {
            command.quiet().ignore_stdout().ignore_stderr().run().is_ok()
        };
        let has_deny = works(cmd!(self.sh, "cargo deny --version"));
        let has_advisories = has_deny && works(cmd!(self.sh, "cargo deny fetch db"));
        if has_deny {
            self.cargo("deny", "deny --all-features --log-level error check licenses bans sources");
        } else {
            println!("== deny\n   SKIPPED: cargo install --locked cargo-deny");
            if std::env::var_os("CI").is_some() {
                self.failed.push(("deny".into(), "cargo install --locked cargo-deny".into()));
            }
        }
        if has_advisories {
            self.cargo("advisories", "deny --all-features check --disable-fetch advisories");
        } else if has_deny {
            println!("== advisories\n   SKIPPED: their database cannot be reached from here");
        }
    }

    fn report(&self) -> bool {
        for (name, repeat) in &self.failed {
            eprintln!("FAILED {name}; repeat with: {repeat}");
        }
        self.failed.is_empty()
    }
}

/// The library alone: bare, with each of its features, with all of them.
fn feature_sets(package: &Package) -> Vec<(String, String)> {
    let bare = "--no-default-features";
    let mut sets = vec![("bare".to_owned(), bare.to_owned())];
    sets.extend(
        package
            .features
            .iter()
            .map(|name| (format!("+{name}"), format!("{bare} --features {name}"))),
    );
    if package.features.len() > 1 {
        sets.push(("all features".to_owned(), "--all-features".to_owned()));
    }
    sets
}

/// Is the stated `rust-version` the same in all packages, and is it the compiler that the gates run with?
fn rust_version(packages: &[Package]) -> Result<bool> {
    let sh = Shell::new()?;
    let compiler = cmd!(sh, "rustc --version").quiet().read()?;
    let running = compiler.split(' ').nth(1).unwrap_or_default();
    let Some(stated) = packages.first().map(|package| package.rust_version.clone()) else {
        return Ok(false);
    };
    let mut ok = true;
    for package in packages.iter().filter(|package| package.rust_version != stated) {
        eprintln!(
            "{} states rust-version {:?}, others {stated:?}",
            package.name, package.rust_version
        );
        ok = false;
    }
    if release(running) < release(&stated) {
        eprintln!("rust-version is {stated}, but this is rustc {running}");
        ok = false;
    } else if release(running) > release(&stated) {
        println!(
            "   note: rustc {running} cannot prove rust-version {stated}; CI runs with {stated}"
        );
    }
    Ok(ok)
}

/// `1.95.0` as (1, 95).
fn release(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(features: &[&str]) -> Package {
        Package {
            name: "ccbt-wire".into(),
            version: "0.1.0".into(),
            rust_version: "1.95".into(),
            dependencies: Vec::new(),
            features: features.iter().map(|&name| name.into()).collect(),
            is_library: true,
        }
    }

    #[test]
    fn a_library_without_features_is_checked_once() {
        assert_eq!(feature_sets(&library(&[])), [("bare".into(), "--no-default-features".into())]);
    }

    #[test]
    fn each_feature_is_checked_alone_and_all_together() {
        let names: Vec<_> =
            feature_sets(&library(&["a", "b"])).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["bare", "+a", "+b", "all features"]);
    }

    #[test]
    fn releases_compare_as_numbers_not_as_text() {
        assert!(release("1.100.0") > release("1.95"));
        assert_eq!(release("1.95.0"), release("1.95"));
    }
}
