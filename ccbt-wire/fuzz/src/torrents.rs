use std::collections::BTreeSet;
use std::path::Component;

use ccbt_wire::metainfo::{MAX_FILES, MAX_PIECE_LENGTH, MAX_PIECES};
use ccbt_wire::{BLOCK_LEN, Magnet, Metainfo, PieceIndex};

/// What is taken for a torrent is consistent, lies within the limits, and names no file outside of its folder.
pub fn metainfo(input: &[u8]) {
    let torrent = match Metainfo::parse(input) {
        Ok(torrent) => torrent,
        Err(error) => return super::assert_shows_well(&error.to_string()),
    };
    assert!((1..=MAX_PIECE_LENGTH).contains(&torrent.piece_length()));
    assert!((1..=MAX_PIECES).contains(&torrent.piece_count()));
    sizes(&torrent);
    paths(&torrent);
    for text in [torrent.comment(), torrent.created_by(), torrent.source()] {
        super::assert_shows_well(text.unwrap_or_default());
    }

    // `info` is the whole torrent: beside it stand hints alone.
    let bare = [b"d4:info", torrent.info_bytes(), b"e"].concat();
    let again = Metainfo::parse(&bare).expect("the same `info`");
    assert_eq!(again.info_hash(), torrent.info_hash());
    assert_eq!(again.files(), torrent.files());
    let link = Magnet::of(&torrent);
    let fetched = Metainfo::from_info(torrent.info_bytes(), &link).expect("the same `info`");
    assert_eq!(fetched.files(), torrent.files());
    assert_eq!(link.to_string().parse(), Ok(link));
}

fn sizes(torrent: &Metainfo) {
    let mut end = 0;
    for file in torrent.files() {
        assert_eq!(file.offset, end);
        end += file.length;
        let pieces = torrent.pieces_of(file.offset, file.length);
        assert!(pieces.end <= torrent.piece_count());
        assert_eq!(pieces.is_empty(), file.length == 0);
    }
    assert_eq!(torrent.total_len(), end);

    let last = PieceIndex(torrent.piece_count() - 1);
    assert_eq!(torrent.piece_offset(last) + u64::from(torrent.piece_len(last)), end);
    assert!(torrent.piece_hash(last).is_some());
    let behind = PieceIndex(torrent.piece_count());
    assert_eq!((torrent.piece_len(behind), torrent.piece_hash(behind)), (0, None));
    let mut begin = 0;
    for block in torrent.blocks(last) {
        assert!(block.begin == begin && block.length <= BLOCK_LEN && torrent.contains(block));
        begin += block.length;
    }
    assert_eq!(begin, torrent.piece_len(last));
}

fn paths(torrent: &Metainfo) {
    assert!((1..=MAX_FILES).contains(&torrent.files().len()));
    let mut places = BTreeSet::new();
    for file in torrent.files() {
        let normal = |component| matches!(component, Component::Normal(_));
        assert!(file.path.components().all(normal), "{:?}", file.path);
        let text = file.path.to_str().expect("names are text");
        super::assert_shows_well(text);
        assert!(!text.contains('\\'));
        assert!(file.path.starts_with(torrent.name()));
        assert_eq!(file.path.components().count() > 1, torrent.is_multi_file());
        assert!(file.pad || places.insert(text.to_lowercase()), "{text:?} is there twice");
    }
}
