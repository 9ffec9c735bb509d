//! Rules about the tree: its top level, its changelog, and the walk over its sources.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Finding, IGNORED, TOP_LEVEL};
use crate::metadata::Package;

/// Entries at the top that have no place there.
pub(super) fn judge_top_level(root: &Path) -> Result<Vec<Finding>> {
    let names =
        fs::read_dir(root)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names = names.collect::<std::io::Result<Vec<_>>>()?;
    let strangers = names
        .into_iter()
        .filter(|name| !TOP_LEVEL.contains(&name.as_str()) && !IGNORED.contains(&name.as_str()));
    Ok(strangers
        .map(|name| Finding::new(name, "has no place at the top of the workspace"))
        .collect())
}

/// Does the changelog tell about the version that the packages have?
pub(super) fn judge_changelog(root: &Path, packages: &[Package]) -> Vec<Finding> {
    let text = fs::read_to_string(root.join("CHANGELOG.md")).unwrap_or_default();
    let mut versions: Vec<&str> = packages.iter().map(|package| package.version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    let missing = versions.into_iter().filter(|version| !has_entry(&text, version));
    missing
        .map(|version| Finding::new("CHANGELOG.md", format!("no entry for version {version}")))
        .collect()
}

/// Is there a heading `## 1.2.3`, `## [1.2.3]` or one of them with more behind it?
fn has_entry(changelog: &str, version: &str) -> bool {
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    headings.into_iter().any(|heading| {
        let first = heading.split_whitespace().next().unwrap_or_default();
        first.trim_matches(|c| c == '[' || c == ']') == version
    })
}

/// Every file that ends so, such as `rs`, with its path from the top (with `/`) and its text, sorted.
pub(super) fn files(root: &Path, ending: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    walk(root, root, ending, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(root: &Path, folder: &Path, ending: &str, found: &mut Vec<(String, String)>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            if !IGNORED.contains(&name.to_string_lossy().as_ref()) {
                walk(root, &path, ending, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == ending) {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("{} is not text", path.display()))?;
            let shown = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            found.push((shown, text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changelog_entry_is_a_heading_with_the_version() {
        assert!(has_entry("# Changelog\n\n## [0.1.0] - 2026-11-30\n", "0.1.0"));
        assert!(has_entry("## 0.1.0\n", "0.1.0"));
        assert!(!has_entry("## 0.1.01\nsee 0.1.0\n", "0.1.0"));
    }

    #[test]
    fn a_stranger_at_the_top_is_found() {
        let root = tempfile::tempdir().unwrap();
        for name in ["Cargo.toml", "notes.txt"] {
            fs::write(root.path().join(name), "").unwrap();
        }
        fs::create_dir(root.path().join("target")).unwrap();
        let found = judge_top_level(root.path()).unwrap();
        assert_eq!(
            found.iter().map(|finding| finding.place.as_str()).collect::<Vec<_>>(),
            ["notes.txt"]
        );
    }

    #[test]
    fn sources_are_found_in_folders_but_not_in_builds() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["a/src", "target/debug"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("lib.rs"), "x").unwrap();
        }
        assert_eq!(files(root.path(), "rs").unwrap(), [("a/src/lib.rs".into(), "x".into())]);
    }
}
