//! `cargo xtask test`: every test of the workspace, and every example run to its end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;
use xshell::{Shell, cmd};

/// How long an example may take; one that needs arguments prints its usage and ends at once.
const EXAMPLE_LIMIT: Duration = Duration::from_secs(60);

/// Runs all tests; false when one failed.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    let mut failed = Vec::new();
    let mut step = |name: &str, ok: bool| {
        if !ok {
            failed.push(name.to_owned());
        }
    };
    if cmd!(sh, "cargo nextest --version").quiet().ignore_stdout().ignore_stderr().run().is_ok() {
        step("tests", cmd!(sh, "cargo nextest run --workspace --all-features").run().is_ok());
        step("doc tests", cmd!(sh, "cargo test --workspace --all-features --doc").run().is_ok());
    } else {
        println!("cargo-nextest is not installed: using cargo test");
        step(
            "tests",
            cmd!(sh, "cargo test --workspace --all-features --no-fail-fast").run().is_ok(),
        );
    }
    match examples(&sh) {
        Err(_) => step("examples: build", false),
        Ok(examples) => {
            for (name, executable) in examples {
                println!("example {name}");
                let outcome = run_example(&executable);
                if let Err(error) = &outcome {
                    eprintln!("example {name}: {error}");
                }
                step(&format!("example {name}"), outcome.is_ok());
            }
        }
    }
    for name in &failed {
        eprintln!("FAILED {name}");
    }
    Ok(failed.is_empty())
}

/// Builds the examples as the tests were built (so that nothing compiles twice) and finds their executables.
fn examples(sh: &Shell) -> Result<Vec<(String, PathBuf)>> {
    let report = cmd!(
        sh,
        "cargo build --workspace --all-features --examples --message-format=json-render-diagnostics"
    )
    .read()?;
    let mut found: Vec<_> =
        report.lines().filter_map(|line| executable(&serde_json::from_str(line).ok()?)).collect();
    found.sort();
    Ok(found)
}

/// The name and path of the example that this line of cargo's report is about.
fn executable(line: &Value) -> Option<(String, PathBuf)> {
    let kinds = line["target"]["kind"].as_array()?;
    let path = line["executable"].as_str()?;
    let name = line["target"]["name"].as_str()?;
    kinds.iter().any(|kind| kind == "example").then(|| (name.to_owned(), path.into()))
}

/// Runs an example without arguments in an empty folder.
fn run_example(executable: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut child =
        Command::new(executable).current_dir(folder.path()).stdin(Stdio::null()).spawn()?;
    let started = Instant::now();
    while started.elapsed() < EXAMPLE_LIMIT {
        if let Some(status) = child.try_wait()? {
            return if status.success() { Ok(()) } else { bail!("ended with {status}") };
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    bail!("still running after {} s", EXAMPLE_LIMIT.as_secs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::executable;

    #[test]
    fn an_example_is_found_in_a_build_report() {
        let line = json!({"target": {"kind": ["example"], "name": "two_peers"}, "executable": "/t/two_peers"});
        assert_eq!(executable(&line), Some(("two_peers".into(), "/t/two_peers".into())));
    }

    #[test]
    fn a_library_in_a_build_report_is_no_example() {
        let line = json!({"target": {"kind": ["lib"], "name": "ccbt_wire"}, "executable": null});
        assert_eq!(executable(&line), None);
    }
}
