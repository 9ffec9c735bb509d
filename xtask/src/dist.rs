//! `cargo xtask dist`: a stripped release with manual pages and completions, in one archive.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::metadata;

/// Files of the workspace that go with the program.
const PAPERS: &[&str] = &["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// The shells, and what each calls its file.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "ccbt.bash"),
    ("elvish", "ccbt.elv"),
    ("fish", "ccbt.fish"),
    ("powershell", "_ccbt.ps1"),
    ("zsh", "_ccbt"),
];

/// A file of the archive.
struct Entry {
    path: String,
    mode: u32,
    bytes: Vec<u8>,
}

impl Entry {
    fn text(path: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { path: path.into(), mode: 0o644, bytes }
    }
}

/// Builds `dist/ccbt-<version>-<target>.tar.gz` in the target folder.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    let program = build(&sh)?;
    let name = format!("ccbt-{}-{}", version(root)?, host(&sh)?);
    let mut entries = vec![Entry { path: "ccbt".into(), mode: 0o755, bytes: fs::read(&program)? }];
    for paper in PAPERS {
        entries.push(Entry::text(*paper, fs::read(root.join(paper)).context(*paper)?));
    }
    for (shell, file) in COMPLETIONS {
        let script = cmd!(sh, "{program} completions {shell}").quiet().output()?.stdout;
        entries.push(Entry::text(format!("completions/{file}"), script));
    }
    entries.extend(manual(&sh, &program)?);

    let folder = program.ancestors().nth(2).context("no target folder")?.join("dist");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.tar.gz"));
    let archive = archive(&name, &entries)?;
    fs::write(&path, &archive)?;
    println!("{}: {} files, {} bytes", path.display(), entries.len(), archive.len());
    Ok(true)
}

/// Builds the program without symbols and finds it.
fn build(sh: &Shell) -> Result<PathBuf> {
    let cargo = "build --release --locked --package ccbt-cli";
    let arguments = cargo.split(' ').chain(["--message-format=json-render-diagnostics"]);
    let report = cmd!(sh, "cargo {arguments...}").env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    let report = report.read()?;
    report
        .lines()
        .find_map(|line| executable(&serde_json::from_str(line).ok()?))
        .context("cargo built no ccbt")
}

/// The program's path, if this line of cargo's report is about it.
fn executable(line: &Value) -> Option<PathBuf> {
    (line["target"]["name"] == "ccbt").then(|| line["executable"].as_str().map(PathBuf::from))?
}

fn version(root: &Path) -> Result<String> {
    let packages = metadata::packages(root)?;
    let package = packages.into_iter().find(|package| package.name == "ccbt-cli");
    Ok(package.context("no package ccbt-cli")?.version)
}

fn host(sh: &Shell) -> Result<String> {
    let about = cmd!(sh, "rustc --version --verbose").quiet().read()?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

/// One manual page for each command.
fn manual(sh: &Shell, program: &Path) -> Result<Vec<Entry>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    cmd!(sh, "{program} man {path}").quiet().run()?;
    let pages = fs::read_dir(path)?.map(|page| {
        let page = page?;
        let name = page.file_name().to_string_lossy().into_owned();
        Ok(Entry::text(format!("man/{name}"), fs::read(page.path())?))
    });
    let mut pages = pages.collect::<Result<Vec<_>>>()?;
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(pages)
}

/// The files below one folder. Equal files give equal bytes: no dates, no owners.
fn archive(folder: &str, entries: &[Entry]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(entry.mode);
        header.set_size(entry.bytes.len().try_into()?);
        let path = format!("{folder}/{}", entry.path);
        archive.append_data(&mut header, path, entry.bytes.as_slice())?;
    }
    let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
    packed.write_all(&archive.into_inner()?)?;
    Ok(packed.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use serde_json::json;

    use super::*;

    fn entries() -> Vec<Entry> {
        let program = Entry { path: "ccbt".into(), mode: 0o755, bytes: b"program".to_vec() };
        vec![program, Entry::text("man/ccbt.1", b"page".to_vec())]
    }

    #[test]
    fn an_archive_holds_every_file_below_one_folder() {
        let packed = archive("ccbt-1.2.3", &entries()).unwrap();
        let mut found = Vec::new();
        for entry in tar::Archive::new(GzDecoder::new(&*packed)).entries().unwrap() {
            let mut entry = entry.unwrap();
            let (path, mode) = (entry.path().unwrap().into_owned(), entry.header().mode().unwrap());
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((path.to_string_lossy().into_owned(), mode, text));
        }
        let expected =
            [("ccbt-1.2.3/ccbt", 0o755, "program"), ("ccbt-1.2.3/man/ccbt.1", 0o644, "page")];
        assert_eq!(found, expected.map(|(path, mode, text)| (path.into(), mode, text.into())));
    }

    #[test]
    fn equal_files_give_equal_archives() {
        assert_eq!(archive("a", &entries()).unwrap(), archive("a", &entries()).unwrap());
    }

    #[test]
    fn the_program_is_found_in_a_build_report() {
        let line = json!({"target": {"name": "ccbt"}, "executable": "/t/release/ccbt"});
        assert_eq!(executable(&line), Some("/t/release/ccbt".into()));
        let library = json!({"target": {"name": "ccbt_peer"}, "executable": null});
        assert_eq!(executable(&library), None);
    }
}
