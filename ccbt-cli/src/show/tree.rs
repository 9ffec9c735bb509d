//! Files as a tree: sizes first, and each folder deeper than the one around it.

use super::about::File;
use crate::report::units;

/// Folders in folders that still move to the right: no path of a stranger makes lines of blanks.
const DEEPEST: usize = 16;

/// A folder or file of the tree.
#[derive(Debug, Default)]
struct Node<'a> {
    name: &'a str,
    length: u64,
    /// `None` for a file; in the torrent's order.
    children: Option<Vec<Node<'a>>>,
}

/// The tree in lines. Pad files are left out: nobody ever sees them.
pub(super) fn lines(files: &[File]) -> Vec<String> {
    let mut root = Node { children: Some(Vec::new()), ..Node::default() };
    for file in files.iter().filter(|file| !file.pad) {
        root.add(file);
    }
    let mut lines = Vec::new();
    root.children.iter().flatten().for_each(|node| node.tell(0, &mut lines));
    lines
}

impl<'a> Node<'a> {
    fn add(&mut self, file: &'a File) {
        let mut node = self;
        let mut names = file.path.split('/').peekable();
        while let Some(name) = names.next() {
            let children = node.children.get_or_insert_default();
            let is_file = names.peek().is_none();
            // Torrents list a folder's files one behind the other. Where one does not, the folder is
            // told again: that costs no search among many thousand.
            let known = children.last().is_some_and(|last| last.name == name && !is_file);
            if !known {
                children.push(Node { name, length: 0, children: (!is_file).then(Vec::new) });
            }
            let Some(next) = children.last_mut() else { return };
            next.length = next.length.saturating_add(file.length);
            node = next;
        }
    }

    fn tell(&self, depth: usize, lines: &mut Vec<String>) {
        let slash = if self.children.is_some() { "/" } else { "" };
        let size = units::bytes(self.length);
        let indent = 2 * depth.min(DEEPEST);
        lines.push(format!("  {size:>8}  {:indent$}{}{slash}", "", self.name));
        for child in self.children.iter().flatten() {
            child.tell(depth + 1, lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, length: u64) -> File {
        File { path: path.to_owned(), length, offset: 0, pad: path.contains(".pad") }
    }

    #[test]
    fn folders_hold_their_files_and_add_up_their_sizes() {
        let files = [
            file("n/a", 10),
            file("n/s/b", 1024),
            file("n/.pad/1", 1),
            file("n/s/t/c", 1024),
            file("n/z", 0),
        ];
        let expected = [
            "  2.01 KiB  n/",
            "      10 B    a",
            "  2.00 KiB    s/",
            "  1.00 KiB      b",
            "  1.00 KiB      t/",
            "  1.00 KiB        c",
            "       0 B    z",
        ];
        assert_eq!(lines(&files), expected);
    }

    #[test]
    fn a_single_file_is_a_tree_of_one_line() {
        assert_eq!(lines(&[file("a.iso", 5)]), ["       5 B  a.iso"]);
    }

    #[test]
    fn a_path_without_end_does_not_leave_the_screen() {
        let lines = lines(&[file(&"d/".repeat(2_000), 1)]);
        assert_eq!(lines.len(), 2_001);
        assert!(lines.iter().all(|line| line.len() <= 12 + 2 * DEEPEST + 2));
    }

    #[test]
    fn a_folder_that_comes_back_is_told_again() {
        let lines = lines(&[file("n/s/a", 1), file("n/b", 1), file("n/s/c", 1)]);
        assert_eq!(lines.iter().filter(|line| line.ends_with("s/")).count(), 2);
    }
}
