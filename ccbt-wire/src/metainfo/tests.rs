use super::build::{Builder, PieceHasher, multi_file, single_file};
use super::*;
use crate::bencode::Owned;
use proptest::prelude::*;
use std::path::Path;

const KIB: u32 = 1024;

#[test]
fn bytes_of_the_payload_lie_in_every_piece_that_they_touch() {
    // Pieces of ten bytes, the last of five.
    let metainfo = Metainfo::parse(&single_file("a", 10, &[7; 25], None)).unwrap();
    for (offset, length, pieces) in [
        (0, 25, 0..3),
        (0, 10, 0..1),
        (9, 1, 0..1),
        (9, 2, 0..2),
        (20, 5, 2..3),
        (10, 0, 0..0),
        (20, 100, 2..3),
        (25, 1, 0..0),
        (u64::MAX, u64::MAX, 0..0),
    ] {
        assert_eq!(metainfo.pieces_of(offset, length), pieces, "{length} bytes at {offset}");
    }
}

#[test]
fn a_torrent_of_one_file_is_read() {
    let content = vec![7; 40_000];
    let bytes = single_file("a.bin", 16 * KIB, &content, Some("http://t.example/announce"));
    let metainfo = Metainfo::parse(&bytes).unwrap();
    assert_eq!(metainfo.name(), "a.bin");
    assert_eq!(metainfo.total_len(), 40_000);
    assert_eq!((metainfo.piece_length(), metainfo.piece_count()), (16 * KIB, 3));
    let lens = [0, 1, 2, 3, u32::MAX].map(|piece| metainfo.piece_len(PieceIndex(piece)));
    assert_eq!(lens, [16384, 16384, 7232, 0, 0]);
    assert_eq!(metainfo.piece_hash(PieceIndex(0)), metainfo.piece_hash(PieceIndex(1)));
    assert_ne!(metainfo.piece_hash(PieceIndex(0)), metainfo.piece_hash(PieceIndex(2)));
    assert_eq!(metainfo.piece_hash(PieceIndex(3)), None);
    assert_eq!(
        metainfo.files(),
        [File { path: "a.bin".into(), length: 40_000, offset: 0, pad: false }]
    );
    assert!(!metainfo.is_multi_file() && !metainfo.is_private());
    assert_eq!(metainfo.announce(), Some("http://t.example/announce"));
    assert_eq!(metainfo.trackers(), [["http://t.example/announce"]]);
    assert_eq!(metainfo.limits(), Limits::for_pieces(3));
}

#[test]
fn a_torrent_of_many_files_lies_in_a_folder_of_its_name() {
    let bytes =
        multi_file("top", 16 * KIB, &[("a", b"xx"), ("sub/b", b""), ("sub/c", b"yyy")], None);
    let metainfo = Metainfo::parse(&bytes).unwrap();
    let files: Vec<_> =
        metainfo.files().iter().map(|file| (&*file.path, file.offset, file.length)).collect();
    let path = |path| Path::new(path);
    assert_eq!(
        files,
        [(path("top/a"), 0, 2), (path("top/sub/b"), 2, 0), (path("top/sub/c"), 2, 3)]
    );
    assert!(metainfo.is_multi_file());
    assert_eq!(metainfo.trackers(), [[""; 0]; 0]);
    assert_eq!(metainfo.announce(), None);
}

#[test]
fn the_info_hash_is_taken_over_the_bytes_as_they_stand() {
    // Unsorted keys and an unknown one: encoding them again would give another hash.
    let info =
        b"d6:pieces20:aaaaaaaaaaaaaaaaaaaa4:name1:n12:piece lengthi16384e6:lengthi5e2:xxle2:aa0:e";
    let file = [b"d4:info", &info[..], b"e"].concat();
    let metainfo = Metainfo::parse(&file).unwrap();
    assert_eq!(metainfo.info_bytes(), info);
    assert_eq!(metainfo.info_hash().to_string(), "0fb68f60b8d8bc05c3ce1e171bd6eb2c165da186");
    assert_eq!(metainfo.piece_hash(PieceIndex(0)), Some([b'a'; 20]));
}

#[test]
fn blocks_cover_each_piece_exactly() {
    // A piece length that is no multiple of a block.
    let bytes = single_file("a", 40_000, &[1; 90_000], None);
    let metainfo = Metainfo::parse(&bytes).unwrap();
    let lens = |piece| {
        metainfo
            .blocks(PieceIndex(piece))
            .map(|block| (block.begin, block.length))
            .collect::<Vec<_>>()
    };
    assert_eq!(lens(0), [(0, 16384), (16384, 16384), (32768, 7232)]);
    assert_eq!(lens(2), [(0, 10_000)]);
    assert_eq!(lens(3), []);
    assert_eq!(metainfo.block_count(PieceIndex(0)), 3);
    assert!(
        (0..3)
            .flat_map(|piece| metainfo.blocks(PieceIndex(piece)))
            .all(|block| metainfo.contains(block))
    );
}

#[test]
fn a_block_outside_its_piece_is_not_contained() {
    let metainfo = Metainfo::parse(&single_file("a", 32 * KIB, &[1; 40_000], None)).unwrap();
    for (piece, begin, length, inside) in [
        (0, 0, 32 * KIB, true),
        (0, 32 * KIB - 1, 1, true),
        (0, 32 * KIB - 1, 2, false),
        (0, 0, 0, false),
        (1, 0, 7232, true),
        (1, 0, 7233, false),
        (2, 0, 1, false),
        (u32::MAX, 0, 1, false),
        (0, u32::MAX, u32::MAX, false),
    ] {
        let block = Block { piece: PieceIndex(piece), begin, length };
        assert_eq!(metainfo.contains(block), inside, "{block}");
    }
}

#[test]
fn what_stands_beside_info_is_read() {
    let bytes = Builder::single("a", 16 * KIB, 5)
        .pieces([[9; 20]])
        .tier(["http://one/a", "udp://two:80"])
        .tracker("http://three/a")
        .private(true)
        .web_seed("http://seed/a")
        .comment("a\x1b[2J comment")
        .created_by("maker 1")
        .creation_date(1_700_000_000)
        .source("tracker.example")
        .build()
        .unwrap();
    let metainfo = Metainfo::parse(&bytes).unwrap();
    assert_eq!(metainfo.announce(), Some("http://one/a"));
    assert_eq!(metainfo.trackers(), [vec!["http://one/a", "udp://two:80"], vec!["http://three/a"]]);
    assert!(metainfo.is_private());
    assert_eq!(metainfo.url_list(), ["http://seed/a"]);
    assert_eq!(metainfo.comment(), Some("a[2J comment"));
    assert_eq!(metainfo.created_by(), Some("maker 1"));
    assert_eq!(metainfo.creation_date(), Some(1_700_000_000));
    assert_eq!(metainfo.source(), Some("tracker.example"));
}

#[test]
fn a_source_gives_another_info_hash_and_a_date_does_not() {
    let builder = Builder::single("a", 16 * KIB, 5).pieces([[9; 20]]);
    let hash = |builder: &Builder| Metainfo::parse(&builder.build().unwrap()).unwrap().info_hash();
    let plain = hash(&builder);
    assert_eq!(hash(&builder.clone().creation_date(1).comment("c").created_by("m")), plain);
    assert_ne!(hash(&builder.source("here")), plain);
}

#[test]
fn what_could_not_be_read_is_not_built() {
    let refusal = |builder: Builder| builder.build().unwrap_err().to_string();
    let good = Builder::single("a", 16 * KIB, 5).pieces([[9; 20]]);
    assert!(good.build().is_ok());
    let blank = good.clone().tier(["http://t/a", "http://t/a b"]);
    assert_eq!(refusal(blank), "announce-list: \"http://t/a b\" is not a usable URL");
    let blank = good.clone().web_seed(" http://t/a");
    assert_eq!(refusal(blank), "url-list: \" http://t/a\" is not a usable URL");
    let many = (0..201)
        .fold(good.clone(), |builder, number| builder.tracker(&format!("http://t/{number}")));
    assert_eq!(refusal(many), "announce-list: 201 are over the limit of 200");
    assert_eq!(refusal(good.pieces([[9; 20]])), "info.pieces: 2 hashes, but 1 pieces");
    let evil = Builder::multi("a", 16 * KIB, [("../b", 5)]).pieces([[9; 20]]);
    assert_eq!(refusal(evil), "info.files[0].path: component \"..\" is not allowed");
    assert_eq!(
        refusal(Builder::single("a", 16 * KIB, 0)),
        "info: the torrent has no payload (total length 0)"
    );
}

fn info() -> Owned {
    Owned::dict([
        ("length", Owned::Int(5)),
        ("name", "a".into()),
        ("piece length", Owned::Int(16384)),
        ("pieces", vec![0; 20].into()),
    ])
}

#[test]
fn ill_typed_keys_beside_info_count_as_absent() {
    let root = Owned::dict([
        ("announce", Owned::from("http://t/a")),
        (
            "announce-list",
            ["junk".into(), Owned::List(vec![]), Owned::List(vec![Owned::Int(1)])]
                .into_iter()
                .collect(),
        ),
        ("comment", Owned::Int(1)),
        ("creation date", Owned::Int(-1)),
        ("info", info()),
        ("url-list", "http://only/one".into()),
    ]);
    let metainfo = Metainfo::parse(&root.encode()).unwrap();
    assert_eq!(metainfo.trackers(), [["http://t/a"]], "an empty announce-list gives way");
    assert_eq!(metainfo.url_list(), ["http://only/one"]);
    assert_eq!(metainfo.comment(), None);
    assert_eq!(metainfo.creation_date(), None);
    assert_eq!(metainfo.source(), None);

    let root = Owned::dict([
        ("announce", "bad\nurl".into()),
        ("info", info()),
        ("url-list", Owned::Int(1)),
    ]);
    let metainfo = Metainfo::parse(&root.encode()).unwrap();
    assert_eq!((metainfo.announce(), metainfo.url_list().len()), (None, 0));
}

#[test]
fn a_name_in_utf_8_is_preferred_and_any_other_made_readable() {
    let named = |keys: &[(&str, &[u8])]| {
        let Owned::Dict(mut dict) = info() else { unreachable!() };
        dict.remove(&b"name"[..]);
        dict.extend(keys.iter().map(|&(key, name)| (key.into(), name.to_vec().into())));
        Metainfo::parse(&Owned::dict([("info", Owned::Dict(dict))]).encode())
            .unwrap()
            .name()
            .to_owned()
    };
    assert_eq!(named(&[("name", b"\x83e"), ("name.utf-8", "テ".as_bytes())]), "テ");
    assert_eq!(named(&[("name", b"good"), ("name.utf-8", b"\xff")]), "good");
    assert_eq!(named(&[("name", b"a\xffb")]), "a\u{fffd}b");
}

fn file(path: Owned, extra: &[(&'static str, Owned)]) -> Owned {
    let entries = [("length", Owned::Int(5)), ("path", path)];
    Owned::dict(entries.into_iter().chain(extra.iter().cloned()))
}

fn paths(files: Vec<Owned>) -> Vec<(PathBuf, bool)> {
    let pieces = vec![0; 20];
    let info = Owned::dict([
        ("files", Owned::List(files)),
        ("name", "top".into()),
        ("piece length", Owned::Int(16384)),
        ("pieces", pieces.into()),
    ]);
    let metainfo = Metainfo::parse(&Owned::dict([("info", info)]).encode()).unwrap();
    metainfo.files().iter().map(|file| (file.path.clone(), file.pad)).collect()
}

#[test]
fn a_path_in_utf_8_is_preferred_and_any_other_made_readable() {
    let list = |components: &[&[u8]]| -> Owned {
        components.iter().map(|c| Owned::from(c.to_vec())).collect()
    };
    let files = vec![
        file(list(&[b"\x83e"]), &[("path.utf-8", list(&["テ".as_bytes()]))]),
        file(list(&[b"plain"]), &[("path.utf-8", list(&[b"\xff"]))]),
        file(list(&[b"other"]), &[("path.utf-8", list(&[]))]),
        file(list(&[b"a\xffb"]), &[]),
    ];
    let expected =
        ["top/テ", "top/plain", "top/other", "top/a\u{fffd}b"].map(|path| (path.into(), false));
    assert_eq!(paths(files), expected);
}

#[test]
fn pad_files_are_marked_and_may_share_a_place() {
    let pad = |path: &[&str]| {
        file(path.iter().map(|&c| Owned::from(c)).collect(), &[("attr", "p".into())])
    };
    let files = vec![
        file(Owned::List(vec!["a".into()]), &[("attr", "x".into())]),
        pad(&[".pad", "5"]),
        pad(&[".pad", "5"]),
        pad(&["..", "evil"]),
    ];
    let pads = (PathBuf::from("top/.pad/5"), true);
    assert_eq!(paths(files), [("top/a".into(), false), pads.clone(), pads.clone(), pads]);
}

#[test]
fn equal_input_gives_equal_canonical_bytes() {
    let expected: &[u8] = b"d8:announce10:http://t/a4:infod5:filesl\
        d6:lengthi2e4:pathl1:aeed6:lengthi3e4:pathl3:sub1:beee\
        4:name3:top12:piece lengthi16384e6:pieces20:";
    let bytes = multi_file("top", 16 * KIB, &[("a", b"xx"), ("sub/b", b"yyy")], Some("http://t/a"));
    assert!(bytes.starts_with(expected), "{}", bytes.escape_ascii());
    assert!(bytes.ends_with(b"ee"));
}

proptest! {
    #[test]
    fn hashes_do_not_depend_on_portions(
        content in prop::collection::vec(any::<u8>(), 1..2000),
        piece_length in 1u32..700,
        portion in 1usize..900,
    ) {
        let mut hasher = PieceHasher::new(piece_length);
        content.chunks(portion).for_each(|part| hasher.update(part));
        let bytes = single_file("a", piece_length, &content, None);
        let metainfo = Metainfo::parse(&bytes).unwrap();
        let hashes: Vec<_> = (0..metainfo.piece_count()).map_while(|i| metainfo.piece_hash(PieceIndex(i))).collect();
        prop_assert_eq!(hashes, hasher.finish());
        let lens: u64 = (0..metainfo.piece_count()).map(|i| u64::from(metainfo.piece_len(PieceIndex(i)))).sum();
        prop_assert_eq!(lens, content.len() as u64);
    }

    #[test]
    fn runs_of_pieces_are_hashed_apart_and_joined(
        content in prop::collection::vec(any::<u8>(), 1..2000),
        piece_length in 1u32..300,
        run in 1usize..5,
    ) {
        let hashes = |part: &[u8]| {
            let mut hasher = PieceHasher::new(piece_length);
            hasher.update(part);
            hasher.finish()
        };
        let runs = content.chunks(run * piece_length as usize);
        prop_assert_eq!(runs.flat_map(hashes).collect::<Vec<_>>(), hashes(&content));
    }

    #[test]
    fn a_damaged_file_is_an_answer_never_a_crash(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = multi_file("top", 16 * KIB, &[("a", b"xx"), ("sub/b", b"yyy")], Some("http://t/a"));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(metainfo) = Metainfo::parse(&bytes) {
            prop_assert!(metainfo.files().iter().all(|file| file.path.is_relative()));
        }
    }
}

#[test]
fn the_info_alone_and_a_link_are_a_torrent() {
    let bytes = single_file("hello.txt", 16 * 1024, b"hello", None);
    let whole = Metainfo::parse(&bytes).unwrap();
    let link = "magnet:?xt=urn:btih:0eb2d544ef0c9ae3c0fbba90a71cd742a44aa81d\
                &tr=http://a.example/announce&tr=udp://b.example:1&ws=http://c.example/";
    let magnet: Magnet = link.parse().unwrap();
    let metainfo = Metainfo::from_info(whole.info_bytes(), &magnet).unwrap();
    assert_eq!(metainfo.info_hash(), whole.info_hash());
    assert_eq!(metainfo.files(), whole.files());
    assert_eq!(metainfo.trackers(), [["http://a.example/announce"], ["udp://b.example:1"]]);
    assert_eq!(metainfo.url_list(), ["http://c.example/"]);
    assert!(Metainfo::from_info(b"de", &magnet).is_err());
    assert!(Metainfo::from_info(b"d1:ai1ee and more", &magnet).is_err());
    assert_eq!(whole.info(), whole.info_bytes());
}
