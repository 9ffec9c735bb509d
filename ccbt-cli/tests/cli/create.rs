//! `ccbt create` makes torrents that everybody can use, from nothing but what was asked for.

use std::fs;
use std::path::Path;
use std::process::Output;

use ccbt_peer::wire::{Metainfo, PieceIndex};
use sha1::{Digest, Sha1};
use tempfile::TempDir;

use crate::support::{assert_exit, ccbt, run, text};

/// A folder `album` with three files and things that nobody wants to share.
fn album() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let album = folder.path().join("album");
    fs::create_dir_all(album.join("disc")).expect("folders");
    for (name, length) in [("cover.png", 20_000), ("disc/1.flac", 70_001), ("disc/2.flac", 1)] {
        fs::write(album.join(name), bytes(length)).expect("a file");
    }
    fs::write(album.join(".hidden"), "h").expect("a file");
    fs::write(album.join("disc/rip.log"), "log").expect("a file");
    folder
}

fn bytes(length: u32) -> Vec<u8> {
    (0..length).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}

/// `ccbt create ...` in the folder.
fn create(folder: &TempDir, line: &[&str]) -> Output {
    let mut command = ccbt();
    command.arg("create").args(line).current_dir(folder.path());
    run(command)
}

fn created(folder: &TempDir, line: &[&str], torrent: &str) -> Metainfo {
    let output = create(folder, line);
    assert_exit(&output, 0);
    let bytes = fs::read(folder.path().join(torrent)).expect("a torrent");
    let metainfo = Metainfo::parse(&bytes).expect("a torrent");
    let told = text(&output.stdout);
    assert!(told.contains(&metainfo.info_hash().to_string()), "{told}");
    metainfo
}

fn names(metainfo: &Metainfo) -> Vec<String> {
    metainfo.files().iter().map(|file| file.path.display().to_string()).collect()
}

#[test]
fn a_folder_becomes_a_torrent_with_the_hashes_of_its_content() {
    let folder = album();
    let metainfo = created(&folder, &["album", "-x", "*.log"], "album.torrent");
    assert_eq!(names(&metainfo), ["album/cover.png", "album/disc/1.flac", "album/disc/2.flac"]);
    assert_eq!(metainfo.piece_length(), 16_384);
    let payload = [bytes(20_000), bytes(70_001), bytes(1)].concat();
    assert_eq!(metainfo.total_len(), payload.len() as u64);
    for (number, piece) in payload.chunks(16_384).enumerate() {
        let index = PieceIndex(u32::try_from(number).expect("few pieces"));
        assert_eq!(metainfo.piece_hash(index), Some(Sha1::digest(piece).into()), "{number}");
    }
}

#[test]
fn the_info_hash_is_that_of_the_canonical_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.bin"), bytes(20_000)).expect("a file");
    let metainfo = created(&folder, &["a.bin", "--private", "--source", "S"], "a.bin.torrent");
    let mut info = b"d6:lengthi20000e4:name5:a.bin12:piece lengthi16384e6:pieces40:".to_vec();
    bytes(20_000).chunks(16_384).for_each(|piece| info.extend(Sha1::digest(piece)));
    info.extend(b"7:privatei1e6:source1:Se");
    let expected: [u8; 20] = Sha1::digest(&info).into();
    assert_eq!(metainfo.info_hash().0, expected);
}

#[test]
fn every_option_is_in_the_torrent() {
    let folder = album();
    let line = [
        "album",
        "-o",
        "x.torrent",
        "--tracker",
        "http://a.example/announce,udp://b.example:80/announce",
        "--tracker",
        "https://c.example/announce",
        "--web-seed",
        "https://w.example/files",
        "--piece-length",
        "32KiB",
        "--private",
        "--comment",
        "für alle",
        "--source",
        "HOME",
        "--include-hidden",
        "--exclude",
        "/disc",
    ];
    let metainfo = created(&folder, &line, "x.torrent");
    let tiers = [
        vec!["http://a.example/announce", "udp://b.example:80/announce"],
        vec!["https://c.example/announce"],
    ];
    assert!(metainfo.trackers().iter().eq(tiers.iter()), "{:?}", metainfo.trackers());
    assert_eq!(metainfo.announce(), Some("http://a.example/announce"));
    assert_eq!(metainfo.url_list(), ["https://w.example/files/"]);
    assert_eq!(metainfo.piece_length(), 32_768);
    assert!(metainfo.is_private());
    assert_eq!(metainfo.comment(), Some("für alle"));
    assert_eq!(metainfo.source(), Some("HOME"));
    assert_eq!(metainfo.creation_date(), None);
    assert_eq!(names(&metainfo), ["album/.hidden", "album/cover.png"]);
}

#[test]
fn equal_content_and_options_give_equal_bytes() {
    let torrents = [album(), album()].map(|folder| {
        created(&folder, &["album", "--comment", "c"], "album.torrent");
        fs::read(folder.path().join("album.torrent")).expect("a torrent")
    });
    assert_eq!(torrents[0], torrents[1]);
}

#[test]
fn hidden_files_are_left_out_and_that_is_said() {
    let folder = album();
    let output = create(&folder, &["album", "-x", "*.nothing"]);
    assert_exit(&output, 0);
    let told = text(&output.stdout);
    assert!(told.contains("1 hidden name (--include-hidden takes them in)"), "{told}");
    assert!(told.contains("--exclude *.nothing: nothing has such a name"), "{told}");
    assert!(!told.contains("by --exclude"), "{told}");
}

#[test]
fn a_quiet_run_says_nothing() {
    let output = create(&album(), &["album", "-q"]);
    assert_exit(&output, 0);
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn a_torrent_is_replaced_by_force_only() {
    let folder = album();
    let torrent = folder.path().join("album.torrent");
    fs::write(&torrent, "mine").expect("a file");
    let output = create(&folder, &["album"]);
    assert_exit(&output, 4);
    assert!(text(&output.stderr).contains("album.torrent: is there already"));
    assert_eq!(fs::read(&torrent).expect("the file"), b"mine");
    created(&folder, &["album", "--force"], "album.torrent");
}

#[test]
fn a_torrent_within_its_folder_is_no_part_of_itself() {
    let folder = album();
    let line = ["album", "-o", "album/a.torrent", "--force"];
    let first = created(&folder, &line, "album/a.torrent");
    let second = created(&folder, &line, "album/a.torrent");
    assert_eq!(first.info_hash(), second.info_hash());
}

#[test]
fn a_torrent_of_the_current_folder_has_its_name_and_not_itself() {
    let folder = album();
    let torrent = folder.path().join("album/album.torrent");
    let hashes = [0, 1].map(|_| {
        let mut command = ccbt();
        command.args(["create", ".", "--force"]).current_dir(folder.path().join("album"));
        assert_exit(&run(command), 0);
        let metainfo = Metainfo::parse(&fs::read(&torrent).expect("a torrent"));
        let metainfo = metainfo.expect("a torrent");
        assert_eq!(metainfo.name(), "album");
        metainfo.info_hash()
    });
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn content_is_never_overwritten_by_its_torrent() {
    let folder = album();
    refused(&folder, &["album/cover.png", "-o", "album/cover.png", "--force"], "is both");
    assert_eq!(fs::read(folder.path().join("album/cover.png")).expect("a file"), bytes(20_000));
}

/// Refused with exit code 2, one line that has `why` in it, and no torrent.
fn refused(folder: &TempDir, line: &[&str], why: &str) {
    let output = create(folder, line);
    assert_exit(&output, 2);
    let error = text(&output.stderr);
    assert!(error.contains(why), "{error}");
    let torrents = fs::read_dir(folder.path()).expect("the folder").filter_map(Result::ok);
    assert!(!torrents.into_iter().any(|entry| has_torrent_name(&entry.path())));
}

fn has_torrent_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "torrent")
}

#[test]
fn options_that_no_client_could_use_are_refused() {
    let folder = album();
    for (line, why) in [
        (&["album", "--piece-length", "20KiB"][..], "no power of two"),
        (&["album", "--tracker", "tracker.example"], "is no URL"),
        (&["album", "--web-seed", "udp://w.example"], "none of http, https, ftp"),
        (&["album", "--comment", ""], "--comment: empty"),
        (&["album", "--comment", "two\nlines"], "--comment: "),
        (&["album", "--source", "\u{1b}[2J"], "--source: "),
        (&["album", "--exclude", "[a"], "--exclude [a: "),
        (&["album", "--exclude", "*"], "holds no byte"),
    ] {
        refused(&folder, line, why);
    }
    let long = format!("http://t.example/{}", "a".repeat(3_000));
    refused(&folder, &["album", "--tracker", &long], "announce-list");
}

#[test]
fn content_that_get_would_refuse_is_refused_before_it_is_read() {
    let folder = album();
    // Sparse: if it were read, nobody would wait for the end of this test.
    let file = fs::File::create(folder.path().join("album/huge")).expect("a file");
    file.set_len(1 << 42).expect("a sparse file");
    refused(&folder, &["album", "--piece-length", "16KiB"], "over the limit of 2000000");
    #[cfg(unix)]
    for name in ["aux.txt", "a:b\\c", "ends with dot."] {
        let path = folder.path().join("album").join(name);
        fs::write(&path, "x").expect("a file");
        refused(&folder, &["album"], "info.files[");
        fs::remove_file(path).expect("the file");
    }
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_refused() {
    let folder = album();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("album/p")).expect("a link");
    refused(&folder, &["album"], "album/p: a link out of the folder");
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let output = create(&album(), &["nothing"]);
    assert_exit(&output, 4);
    assert!(text(&output.stderr).contains("nothing: "));
}
