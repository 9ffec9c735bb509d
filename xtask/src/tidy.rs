//! `cargo xtask tidy`: the rules that the compiler cannot check. The tables are here, the code is below `tidy/`.

mod dependencies;
mod links;
mod scenarios;
mod source;
mod strip;
mod tree;

use std::path::Path;

use anyhow::Result;

use crate::metadata;

/// The arrows of the workspace (ARCHITECTURE.md): what each crate may depend on.
const ARROWS: &[Arrow] = &[
    Arrow {
        of: "ccbt-wire",
        normal: Some(&["bitvec", "bytes", "sha1", "thiserror"]),
        never: PRODUCT,
    },
    Arrow { of: "ccbt-policy", normal: Some(&[]), never: PRODUCT },
    Arrow { of: "ccbt-peer", normal: None, never: &["ccbt-cli", "clap", "indicatif", "xtask"] },
    Arrow { of: "ccbt-cli", normal: None, never: &["ccbt-wire", "xtask"] },
    Arrow {
        of: "fair-share",
        normal: Some(&["ccbt-peer", "ccbt-policy", "tokio"]),
        never: &["ccbt-cli", "xtask"],
    },
    Arrow { of: "xtask", normal: None, never: PRODUCT },
];

const PRODUCT: &[&str] = &["ccbt-wire", "ccbt-policy", "ccbt-peer", "ccbt-cli", "xtask"];

/// Words that must not stand in the code of the files whose path begins with one of `under`,
/// unless it begins with one of `except`. Comments and text do not count.
const WORDS: &[WordRule] = &[
    WordRule {
        under: &[
            "ccbt-peer/src/session",
            "ccbt-peer/src/swarm",
            "ccbt-policy/src/",
            "ccbt-wire/src/",
        ],
        except: &[],
        words: &["tokio", "Instant", "SystemTime", "TcpStream", "UdpSocket"],
        why: "the core decides without runtime, clock and sockets",
    },
    WordRule {
        under: &["ccbt-peer/src/"],
        except: &[
            "ccbt-peer/src/driver",
            "ccbt-peer/src/source",
            "ccbt-peer/src/store",
            "ccbt-peer/src/connection.rs",
            "ccbt-peer/src/builder.rs",
            "ccbt-peer/src/events.rs",
            "ccbt-peer/src/node",
        ],
        words: &["tokio", "Instant", "SystemTime"],
        why: "only the driver, the sources, the stores and the public handles know the runtime",
    },
    WordRule {
        under: &[""],
        except: &[],
        words: &["todo!", "unimplemented!", "dbg!"],
        why: "nothing unfinished is committed",
    },
];

/// Lines of a source file, tests included: a note is printed from here on ...
const LINES_NOTED: usize = 400;
/// ... and it is an error beyond this.
const LINES_ALLOWED: usize = 600;

/// A test's name is a sentence: so many words at least.
const TEST_NAME_WORDS: usize = 3;

/// All that may stand at the top of the workspace.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".gitattributes",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "ccbt-cli",
    "ccbt-peer",
    "ccbt-policy",
    "ccbt-wire",
    "clippy.toml",
    "deny.toml",
    "docs",
    "rustfmt.toml",
    "xtask",
];

/// Not ours to judge: git's own, builds, editors.
const IGNORED: &[&str] = &[".git", "target", ".idea", ".vscode"];

/// What one crate may depend on.
struct Arrow {
    of: &'static str,
    /// The exact set of its normal, not optional dependencies; `None`: not fixed.
    normal: Option<&'static [&'static str]>,
    /// What it must not name in any table, itself excepted.
    never: &'static [&'static str],
}

/// Words that some files must not use.
struct WordRule {
    under: &'static [&'static str],
    except: &'static [&'static str],
    words: &'static [&'static str],
    why: &'static str,
}

/// What tidy has to say about one place.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    place: String,
    problem: String,
}

impl Finding {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Finding { place: place.into(), problem: problem.into() }
    }
}

/// Judges the workspace at `root`; false when a rule is broken.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let packages = metadata::packages(root)?;
    let mut findings = dependencies::judge(&packages);
    findings.extend(tree::judge_top_level(root)?);
    findings.extend(tree::judge_changelog(root, &packages));
    let files = tree::files(root, "rs")?;
    findings.extend(scenarios::judge(root, &files));
    for (page, text) in tree::files(root, "md")? {
        findings.extend(links::judge(root, &page, &text));
    }
    for (path, text) in &files {
        findings.extend(source::judge(path, text));
        if let Some(note) = source::note(path, text) {
            println!("note: {}: {}", note.place, note.problem);
        }
    }
    for finding in &findings {
        eprintln!("{}: {}", finding.place, finding.problem);
    }
    println!("tidy: {} source files, {} findings", files.len(), findings.len());
    Ok(findings.is_empty())
}
