//! A metainfo file from a stranger is refused with the field and the rule it breaks, and quickly.

use ccbt_wire::bencode::Owned;
use ccbt_wire::metainfo::{MAX_FILES, MAX_METAINFO_LEN};
use ccbt_wire::{Metainfo, MetainfoError, PathError};

/// A torrent of 5 bytes with some keys of `info` replaced, or removed (`None`).
fn torrent(changes: &[(&str, Option<Owned>)]) -> Vec<u8> {
    let mut info = vec![
        ("length", Owned::Int(5)),
        ("name", "a".into()),
        ("piece length", Owned::Int(16384)),
        ("pieces", vec![0; 20].into()),
    ];
    for (key, value) in changes {
        info.retain(|(old, _)| old != key);
        info.extend(value.clone().map(|value| (*key, value)));
    }
    Owned::dict([("info", Owned::dict(info))]).encode()
}

/// A torrent of files with these paths, 5 bytes each.
fn files(paths: &[&[&str]]) -> Vec<u8> {
    let file = |path: &&[&str]| {
        let path: Owned = path.iter().map(|&component| Owned::from(component)).collect();
        Owned::dict([("length", Owned::Int(5)), ("path", path)])
    };
    torrent(&[("length", None), ("files", Some(paths.iter().map(file).collect()))])
}

fn refusal(bytes: &[u8]) -> String {
    Metainfo::parse(bytes).expect_err("refused").to_string()
}

#[test]
fn what_these_tables_vary_is_a_torrent() {
    assert!(Metainfo::parse(&torrent(&[])).is_ok());
    assert!(Metainfo::parse(&files(&[&["a"], &["b", "c"]])).is_ok());
}

#[test]
fn each_broken_rule_is_named_with_its_field() {
    let int = |number| Some(Owned::Int(number));
    let text = |text: &str| Some(Owned::from(text));
    let list = |values: Vec<Owned>| Some(Owned::List(values));
    let huge = |length| {
        Owned::dict([("length", Owned::Int(length)), ("path", Owned::List(vec!["x".into()]))])
    };
    for (changes, message) in [
        (vec![("name", None)], "info.name: missing"),
        (vec![("name", int(1))], "info.name: not a string"),
        (vec![("name", text(""))], "info.name: is empty"),
        (vec![("name", text(".."))], "info.name: component \"..\" is not allowed"),
        (
            vec![("name", text("/etc/passwd"))],
            "info.name: component \"/etc/passwd\" has a separator",
        ),
        (vec![("piece length", None)], "info.piece length: missing"),
        (vec![("piece length", text("x"))], "info.piece length: not an integer"),
        (vec![("piece length", int(0))], "info.piece length: 0 is not in 1 to 268435456"),
        (vec![("piece length", int(-1))], "info.piece length: -1 is not in 1 to 268435456"),
        (
            vec![("piece length", int(268_435_457))],
            "info.piece length: 268435457 is not in 1 to 268435456",
        ),
        (vec![("pieces", None)], "info.pieces: missing"),
        (vec![("pieces", int(1))], "info.pieces: not a string"),
        (vec![("pieces", text("short"))], "info.pieces: 5 bytes are not a multiple of 20"),
        (vec![("pieces", text(""))], "info.pieces: 0 hashes, but 1 pieces"),
        (vec![("pieces", Some(vec![0; 40].into()))], "info.pieces: 2 hashes, but 1 pieces"),
        (vec![("length", int(32769))], "info.pieces: 1 hashes, but 3 pieces"),
        (vec![("length", int(-5))], "info.length: -5 is not in 0 to 9223372036854775807"),
        (vec![("length", int(0))], "info: the torrent has no payload (total length 0)"),
        (vec![("length", text("x"))], "info.length: not an integer"),
        (
            vec![("length", int(i64::MAX))],
            "info.pieces: 562949953421312 are over the limit of 2000000",
        ),
        (
            vec![("length", int(2_000_001)), ("piece length", int(1))],
            "info.pieces: 2000001 are over the limit of 2000000",
        ),
        (vec![("length", None)], "info: needs either length or files, has neither"),
        (vec![("files", list(vec![]))], "info: needs either length or files, has both"),
        (vec![("length", None), ("files", int(1))], "info.files: not a list"),
        (
            vec![("length", None), ("files", list(vec![]))],
            "info: the torrent has no payload (total length 0)",
        ),
        (
            vec![("length", None), ("files", list(vec![Owned::Int(1)]))],
            "info.files[0]: not a dictionary",
        ),
        (
            vec![("length", None), ("files", list(vec![huge(i64::MAX), huge(1)]))],
            "info.files[1].length: the sum of all lengths overflows",
        ),
        (
            vec![("length", None), ("files", list(vec![Owned::dict([("path", "x".into())])]))],
            "info.files[0].length: missing",
        ),
        (
            vec![("length", None), ("files", list(vec![Owned::dict([("length", Owned::Int(1))])]))],
            "info.files[0].path: missing",
        ),
        (
            vec![
                ("length", None),
                (
                    "files",
                    list(vec![Owned::dict([("length", Owned::Int(1)), ("path", "x".into())])]),
                ),
            ],
            "info.files[0].path: not a list of strings",
        ),
        (
            vec![
                ("pieces", None),
                ("meta version", int(2)),
                ("file tree", Some(Owned::dict([("a", Owned::Int(1))]))),
            ],
            "info: no v1 pieces (the torrent is for version 2 only)",
        ),
    ] {
        assert_eq!(refusal(&torrent(&changes)), message);
    }
}

#[test]
fn each_unsafe_path_is_named_with_its_rule() {
    let long = "x".repeat(256);
    for (path, message) in [
        (&[][..], "is empty"),
        (&[""], "an empty component is not allowed"),
        (&["a", "", "b"], "an empty component is not allowed"),
        (&[".."], "component \"..\" is not allowed"),
        (&["a", "..", "..", "b"], "component \"..\" is not allowed"),
        (&["."], "component \".\" is not allowed"),
        (&["../../etc/passwd"], "component \"../../etc/passwd\" has a separator"),
        (&["/etc"], "component \"/etc\" has a separator"),
        (&["a\\b"], "component \"a\\\\b\" has a separator"),
        (&["a\0b"], "component \"a\\0b\" has a control character"),
        (&["a\nb"], "component \"a\\nb\" has a control character"),
        (&["a\u{9b}31m"], "component \"a\\u{9b}31m\" has a control character"),
        (&["C:"], "component \"C:\" begins with a drive letter"),
        (&["c:evil"], "component \"c:evil\" begins with a drive letter"),
        (&["CON"], "component \"CON\" is a reserved name"),
        (&["dir", "nul.txt"], "component \"nul.txt\" is a reserved name"),
        (&["Com1"], "component \"Com1\" is a reserved name"),
        (&["lpt9.tar.gz"], "component \"lpt9.tar.gz\" is a reserved name"),
        (&["COM¹"], "component \"COM¹\" is a reserved name"),
        (&["aux .c"], "component \"aux .c\" is a reserved name"),
        (&["conin$"], "component \"conin$\" is a reserved name"),
        (&["..."], "component \"...\" ends with a dot or a space"),
        (&["a."], "component \"a.\" ends with a dot or a space"),
        (&["a "], "component \"a \" ends with a dot or a space"),
        (&[&long], "a component of 256 bytes is over the limit of 255"),
        (&[&long[1..]; 16], "a path of 4097 bytes is over the limit of 4096"),
    ] {
        assert_eq!(refusal(&files(&[&["fine"], path])), format!("info.files[1].path: {message}"));
    }
}

#[test]
fn names_that_only_look_dangerous_are_fine() {
    for name in [
        "..a", "a..b", ".hidden", "con-air", "COM", "com10", "console", "ab: c", "été", "a b",
        "-rf", "~", "lpt0x",
    ] {
        assert!(Metainfo::parse(&files(&[&[name]])).is_ok(), "{name}");
    }
    assert!(Metainfo::parse(&files(&[&[&"x".repeat(255)]])).is_ok());
}

#[test]
fn a_symbolic_link_is_refused() {
    let link = Owned::dict([
        ("attr", Owned::from("l")),
        ("length", Owned::Int(0)),
        ("path", Owned::List(vec!["x".into()])),
        ("symlink path", Owned::List(vec!["etc".into(), "passwd".into()])),
    ]);
    let error =
        Metainfo::parse(&torrent(&[("length", None), ("files", Some(Owned::List(vec![link])))]))
            .unwrap_err();
    assert_eq!(
        error,
        MetainfoError::Path { field: "info.files[0].path".into(), error: PathError::Symlink }
    );
    assert_eq!(error.to_string(), "info.files[0].path: symbolic links are not allowed");
}

#[test]
fn two_files_at_one_place_are_refused() {
    for (paths, message) in [
        (
            &[&["a"][..], &["b"], &["a"]][..],
            "info.files[2].path: the same as that of info.files[0]: \"a/a\"",
        ),
        (
            &[&["Dir", "x"], &["dIR", "X"]],
            "info.files[1].path: the same as that of info.files[0]: \"a/dIR/X\"",
        ),
        (&[&["É"], &["é"]], "info.files[1].path: the same as that of info.files[0]: \"a/é\""),
        (
            &[&["de\u{301}", "x"], &["D\u{e9}", "x"]],
            "info.files[1].path: the same as that of info.files[0]: \"a/D\u{e9}/x\"",
        ),
        (
            &[&["Straße"], &["STRASSE"]],
            "info.files[1].path: the same as that of info.files[0]: \"a/STRASSE\"",
        ),
        (
            &[&["e\u{301}", "x"], &["\u{e9}"]],
            "info.files[1].path: \"a/\u{e9}\" is a folder on the path of info.files[0]",
        ),
        (
            &[&["d", "x"], &["d"]],
            "info.files[1].path: \"a/d\" is a folder on the path of info.files[0]",
        ),
        (
            &[&["D"], &["d!"], &["d", "e", "f"]],
            "info.files[0].path: \"a/D\" is a folder on the path of info.files[2]",
        ),
    ] {
        let refused = refusal(&files(paths)).replace('\\', "/");
        assert_eq!(refused, message);
    }
    assert!(Metainfo::parse(&files(&[&["d", "x"], &["dx"], &["d!"], &["d", "y"]])).is_ok());
}

#[test]
fn what_is_no_metainfo_file_is_said_to_be_none() {
    for (bytes, message) in [
        (&b""[..], "not a metainfo file: the input ends within a value, at byte 0"),
        (b"<html>", "not a metainfo file: unexpected byte 0x3c at byte 0"),
        (b"le", "the file: not a dictionary"),
        (b"de", "info: missing"),
        (b"d4:infolee", "info: not a dictionary"),
        (b"dejunk", "not a metainfo file: 4 bytes behind the value that ends at byte 2"),
    ] {
        assert_eq!(refusal(bytes), message);
    }
}

#[test]
fn size_depth_and_number_are_limited() {
    let large = vec![b'l'; MAX_METAINFO_LEN + 1];
    assert_eq!(refusal(&large), "a metainfo file of 10485761 bytes is over the limit of 10485760");
    let deep = ["d1:x", &"l".repeat(200_000), &"e".repeat(200_000), "e"].concat();
    assert_eq!(refusal(deep.as_bytes()), "not a metainfo file: nested deeper than 64 at byte 67");

    let file = Owned::Raw(b"d4:attr1:p6:lengthi0ee".to_vec());
    let many = torrent(&[
        ("length", None),
        ("files", Some(vec![file; MAX_FILES + 1].into_iter().collect())),
    ]);
    assert_eq!(refusal(&many), "info.files: 200001 are over the limit of 200000");
}

#[test]
fn of_keys_that_are_there_twice_the_first_counts() {
    let bytes = b"d4:infod6:lengthi5e6:lengthi0e4:name1:a4:name2:..12:piece lengthi16384e\
        6:pieces20:aaaaaaaaaaaaaaaaaaaaee";
    let metainfo = Metainfo::parse(bytes).expect("a torrent");
    assert_eq!((metainfo.name(), metainfo.total_len()), ("a", 5));
}
