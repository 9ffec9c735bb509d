//! Links and pictures of the pages lead to files that are there.

use std::path::Path;

use super::Finding;

/// Every link of the page, which lies at this path from the top, that leads to no file.
pub(super) fn judge(root: &Path, page: &str, text: &str) -> Vec<Finding> {
    let folder = root.join(page).parent().map(Path::to_owned).unwrap_or_default();
    let broken = targets(text).filter(|target| !folder.join(target).exists());
    broken.map(|target| Finding::new(page, format!("there is no {target}"))).collect()
}

/// What links outside of code lead to in the tree.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    let lines = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        is_code ^= fence;
        !is_code && !fence
    });
    let links =
        lines.flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split_once(')')));
    let paths = links.map(|(target, _)| target.split_once('#').map_or(target, |(path, _)| path));
    paths.filter(|path| !path.is_empty() && !path.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_file_that_is_missing_is_found() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("docs")).unwrap();
        std::fs::write(root.path().join("docs/here.md"), "").unwrap();
        let text = "[a](here.md) [b](../docs/here.md#part) ![c](gone.svg) [d](https://e.example/) [e](#part)";
        let found = judge(root.path(), "docs/page.md", text);
        assert_eq!(found, [Finding::new("docs/page.md", "there is no gone.svg")]);
    }

    #[test]
    fn what_stands_in_code_is_no_link() {
        assert_eq!(targets("```rust\na[0](b)\n```\n[x](y)").collect::<Vec<_>>(), ["y"]);
    }
}
