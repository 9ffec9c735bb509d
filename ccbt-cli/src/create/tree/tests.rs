use super::*;

use tempfile::TempDir;

/// A folder with these files; a name that ends with `/` is an empty folder.
fn folder(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join("root").join(name);
        if name.ends_with('/') {
            fs::create_dir_all(&path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
        }
    }
    folder
}

fn walk(folder: &TempDir, hidden: bool, patterns: &[&str]) -> Result<Tree, Failure> {
    let patterns: Vec<String> = patterns.iter().map(|&text| text.to_owned()).collect();
    let mut excluded = Excluded::of(&patterns)?;
    let wish = Wish { hidden, excluded: &mut excluded, torrent: None };
    Tree::of(&folder.path().join("root"), wish)
}

fn names(tree: &Tree) -> Vec<&str> {
    tree.files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn files_come_in_the_order_of_their_names() {
    let folder = folder(&["b", "a/z", "a/y/x", "a.txt", "B", "empty/"]);
    let tree = walk(&folder, false, &[]).unwrap();
    assert_eq!(names(&tree), ["B", "a/y/x", "a/z", "a.txt", "b"]);
    assert_eq!((tree.name.as_str(), tree.is_folder, tree.total()), ("root", true, 15));
}

#[test]
fn hidden_files_are_left_out_unless_asked_for() {
    let folder = folder(&[".a", ".git/x", "b", "c/.d", ".ccbt-0123456789abcdef.part"]);
    let tree = walk(&folder, false, &[]).unwrap();
    assert_eq!((names(&tree), tree.hidden), (vec!["b"], 3));
    let tree = walk(&folder, true, &[]).unwrap();
    assert_eq!((names(&tree), tree.hidden), (vec![".a", ".git/x", "b", "c/.d"], 0));
}

#[test]
fn a_folder_that_is_excluded_is_left_out_with_all_in_it() {
    let folder = folder(&["a/x", "a/y", "b/a", "c.log", "d"]);
    let tree = walk(&folder, false, &["/a", "*.log"]).unwrap();
    assert_eq!((names(&tree), tree.excluded), (vec!["b/a", "d"], 2));
}

#[test]
fn a_single_file_is_its_own_name() {
    let folder = folder(&["a"]);
    let mut excluded = Excluded::of(&[]).unwrap();
    let wish = Wish { hidden: false, excluded: &mut excluded, torrent: None };
    let tree = Tree::of(&folder.path().join("root/a"), wish).unwrap();
    assert_eq!((tree.name.as_str(), tree.is_folder, names(&tree)), ("a", false, vec!["a"]));
}

#[test]
fn the_torrent_itself_is_left_out() {
    let folder = folder(&["a", "root.torrent"]);
    let mut excluded = Excluded::of(&[]).unwrap();
    let torrent = fs::canonicalize(folder.path().join("root/root.torrent")).ok();
    let wish = Wish { hidden: false, excluded: &mut excluded, torrent };
    let tree = Tree::of(&folder.path().join("root"), wish).unwrap();
    assert_eq!(names(&tree), ["a"]);
}

#[test]
fn a_file_that_changes_is_noticed() {
    let folder = folder(&["a", "b"]);
    let tree = walk(&folder, false, &[]).unwrap();
    tree.is_unchanged().unwrap();
    fs::write(folder.path().join("root/b"), "longer").unwrap();
    let failure = tree.is_unchanged().unwrap_err();
    assert_eq!(failure.exit, Exit::Disk);
    assert!(failure.message.ends_with("b: changed while it was read"), "{failure:?}");
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_within_is_followed() {
        let folder = folder(&["a/x"]);
        symlink("a", folder.path().join("root/b")).unwrap();
        symlink("a/x", folder.path().join("root/c")).unwrap();
        assert_eq!(names(&walk(&folder, false, &[]).unwrap()), ["a/x", "b/x", "c"]);
    }

    #[test]
    fn a_link_that_leads_out_is_refused_until_it_is_excluded() {
        let folder = folder(&["a"]);
        fs::write(folder.path().join("secret"), "secret").unwrap();
        symlink("../secret", folder.path().join("root/b")).unwrap();
        let failure = walk(&folder, false, &[]).unwrap_err();
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.message.contains("root/b: a link out of the folder"), "{failure:?}");
        assert_eq!(names(&walk(&folder, false, &["b"]).unwrap()), ["a"]);
    }

    #[test]
    fn a_circle_of_links_is_refused() {
        let folder = folder(&["a/x", "b/y"]);
        symlink("../b", folder.path().join("root/a/to-b")).unwrap();
        symlink("../a", folder.path().join("root/b/to-a")).unwrap();
        let failure = walk(&folder, false, &[]).unwrap_err();
        assert!(failure.message.contains("a link in a circle"), "{failure:?}");
    }

    #[test]
    fn a_link_to_nothing_is_an_error_of_the_disk() {
        let folder = folder(&["a"]);
        symlink("nothing", folder.path().join("root/b")).unwrap();
        assert_eq!(walk(&folder, false, &[]).unwrap_err().exit, Exit::Disk);
    }

    #[test]
    fn a_name_that_is_not_unicode_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        let folder = folder(&["a"]);
        let name = std::ffi::OsStr::from_bytes(b"\xff");
        fs::write(folder.path().join("root").join(name), "x").unwrap();
        assert_eq!(walk(&folder, false, &[]).unwrap_err().exit, Exit::Refused);
    }

    #[test]
    fn what_is_neither_file_nor_folder_is_refused() {
        let folder = folder(&["a"]);
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("root/s")).unwrap();
        assert_eq!(walk(&folder, false, &[]).unwrap_err().exit, Exit::Refused);
    }
}
