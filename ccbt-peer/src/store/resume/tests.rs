use ccbt_wire::Bitfield;
use proptest::prelude::*;

use super::format::Boot;
use super::*;
use crate::store::fixtures::{self, Torrent};

const BOOT: Boot = [7; 16];

/// Pieces of 1,000 bytes: a 0-1, b 1, c 1-2, an empty file, d 3-5, a pad in 5, e 6-8 and the pads alone in 9.
fn torrent() -> Torrent {
    let files = [
        ("a", 1_500),
        ("b", 100),
        ("c", 1_400),
        ("empty", 0),
        ("d", 2_500),
        (".pad/500", 500),
        ("e", 3_000),
        (".pad/1000", 1_000),
    ];
    fixtures::multi(&files, 1_000)
}

fn about(torrent: &Torrent) -> About<'_> {
    let metainfo = &torrent.metainfo;
    About {
        info_hash: metainfo.info_hash(),
        folder: b"/downloads",
        files: metainfo.files().len(),
        pieces: metainfo.piece_count(),
    }
}

/// Every file as long as it should be, and no part file.
fn marks(torrent: &Torrent) -> Vec<Mark> {
    let files = torrent.metainfo.files().iter().zip(1..);
    let mark = |(file, n): (&ccbt_wire::File, i128)| Mark {
        stamp: (!file.pad).then_some(Stamp { length: file.length, modified: n * 1_000 }),
        ours: n % 2 == 0,
        aside: false,
    };
    files.map(mark).chain([Mark::default()]).collect()
}

fn state(torrent: &Torrent, pieces: &[u32]) -> ResumeState {
    let mut have = Bitfield::new(torrent.metainfo.piece_count());
    pieces.iter().for_each(|piece| _ = have.set(PieceIndex(*piece), true));
    let about = about(torrent);
    let (info_hash, folder) = (about.info_hash, about.folder.to_vec());
    ResumeState { info_hash, folder, marks: marks(torrent), have }
}

fn numbers(pieces: &Bitfield) -> Vec<u32> {
    pieces.iter_ones().map(|piece| piece.0).collect()
}

#[test]
fn a_state_and_its_records_are_read_back() {
    let torrent = torrent();
    let state = state(&torrent, &[0, 4]);
    let (mut bytes, sum) = state.to_bytes(BOOT);
    let about = about(&torrent);
    assert_eq!(ResumeState::parse(&bytes, about, BOOT), Ok((state.clone(), false)));
    let mark = Mark { stamp: Some(Stamp { length: 1, modified: -5 }), ours: true, aside: true };
    let first = Record { marks: vec![(3, mark)], pieces: vec![PieceIndex(1)] };
    let second = Record { marks: Vec::new(), pieces: vec![PieceIndex(2)] };
    bytes.extend(first.to_bytes(&sum));
    bytes.extend(second.to_bytes(&sum));
    let (read, has_records) = ResumeState::parse(&bytes, about, BOOT).unwrap();
    assert!(has_records);
    assert_eq!(numbers(&read.have), [0, 1, 2, 4]);
    assert_eq!(read.marks[3], mark);
}

#[test]
fn records_of_another_run_of_the_system_do_not_count() {
    let torrent = torrent();
    let state = state(&torrent, &[0]);
    let record = Record { marks: Vec::new(), pieces: vec![PieceIndex(1)] };
    for (wrote, reads) in [(BOOT, [8; 16]), (Boot::default(), Boot::default())] {
        let (mut bytes, sum) = state.to_bytes(wrote);
        bytes.extend(record.to_bytes(&sum));
        let read = ResumeState::parse(&bytes, about(&torrent), reads);
        assert_eq!(read, Ok((state.clone(), false)));
    }
}

#[test]
fn a_torn_record_and_what_follows_it_do_not_count() {
    let torrent = torrent();
    let (base, sum) = state(&torrent, &[]).to_bytes(BOOT);
    let record = |piece| Record { marks: Vec::new(), pieces: vec![PieceIndex(piece)] };
    let torn = record(1).to_bytes(&sum);
    for end in 0..torn.len() {
        let mut bytes = base.clone();
        bytes.extend(record(0).to_bytes(&sum));
        bytes.extend(&torn[..end]);
        let (read, _) = ResumeState::parse(&bytes, about(&torrent), BOOT).unwrap();
        assert_eq!(numbers(&read.have), [0]);
    }
    let foreign = record(1).to_bytes(&[0; 20]);
    let outside = record(10).to_bytes(&sum);
    for wrong in [foreign, outside] {
        let mut bytes = base.clone();
        bytes.extend(wrong);
        bytes.extend(record(2).to_bytes(&sum));
        let (read, has_records) = ResumeState::parse(&bytes, about(&torrent), BOOT).unwrap();
        assert!(read.have.none() && !has_records);
    }
}

#[test]
fn what_cannot_be_used_says_why() {
    let torrent = torrent();
    let (bytes, _) = state(&torrent, &[0]).to_bytes(BOOT);
    let parse = |bytes: &[u8], about| ResumeState::parse(bytes, about, BOOT).unwrap_err();
    let right = about(&torrent);
    for end in 0..bytes.len() {
        let error = parse(&bytes[..end], right);
        let expected = if end < 12 { ResumeError::NoState } else { ResumeError::Damaged };
        assert_eq!(error, expected, "{end} bytes");
    }
    let mut newer = bytes.clone();
    newer[15] = 2;
    let error = parse(&newer, right).to_string();
    assert_eq!(error, "it has version 2, and this program knows version 1");
    let other = About { info_hash: InfoHash([0; 20]), ..right };
    assert_eq!(parse(&bytes, other).to_string(), "it is about another torrent");
    assert_eq!(parse(&bytes, About { folder: b"/", ..right }), ResumeError::Foreign("folder"));
    for files in [0, right.files + 1] {
        let about = About { files, ..right };
        assert_eq!(parse(&bytes, about), ResumeError::Foreign("number of files"));
    }
    let about = About { pieces: 9, ..right };
    assert_eq!(parse(&bytes, about), ResumeError::Foreign("number of pieces"));
}

#[test]
fn files_as_they_were_are_trusted_and_only_pads_are_hashed() {
    let torrent = torrent();
    let state = state(&torrent, &[0, 3, 4]);
    let known = trust(&state, &marks(&torrent), &torrent.metainfo);
    assert_eq!(numbers(&known.have), [0, 3, 4]);
    assert_eq!(numbers(&known.unsure), [9]);
}

#[test]
fn a_changed_file_casts_doubt_on_every_piece_that_it_shares() {
    let torrent = torrent();
    let state = state(&torrent, &[0, 1, 2, 3, 4, 5]);
    let doubted = |change: &dyn Fn(&mut Vec<Mark>)| {
        let mut now = marks(&torrent);
        change(&mut now);
        let known = trust(&state, &now, &torrent.metainfo);
        let unsure = numbers(&known.unsure);
        let have: Vec<u32> = (0..6).filter(|piece| !unsure.contains(piece)).collect();
        assert_eq!(numbers(&known.have), have);
        unsure
    };
    let set = |at: usize, stamp| move |now: &mut Vec<Mark>| now[at].stamp = stamp;
    let stamp = marks(&torrent)[0].stamp.unwrap();
    let later = Stamp { modified: stamp.modified + 1, ..stamp };
    assert_eq!(doubted(&set(0, Some(later))), [0, 1, 9]);
    assert_eq!(doubted(&set(1, None)), [1, 9], "a file is gone");
    let shorter = Stamp { length: 2_499, ..marks(&torrent)[4].stamp.unwrap() };
    assert_eq!(doubted(&set(4, Some(shorter))), [3, 4, 5, 9]);
    let part = Some(Stamp { length: 1, modified: 0 });
    assert_eq!(doubted(&set(8, part)), [9], "no file is in it");
}

#[test]
fn what_lies_in_the_part_file_counts_as_long_as_that_is_the_same() {
    let torrent = torrent();
    let mut state = state(&torrent, &[1, 2]);
    state.marks[1].stamp = None;
    state.marks[8].stamp = Some(Stamp { length: 100, modified: 1 });
    let mut now = state.marks.clone();
    assert_eq!(numbers(&trust(&state, &now, &torrent.metainfo).have), [1, 2]);
    now[8].stamp = Some(Stamp { length: 100, modified: 2 });
    let known = trust(&state, &now, &torrent.metainfo);
    assert_eq!((numbers(&known.have), numbers(&known.unsure)), (vec![2], vec![1, 9]));
    // A state that names a piece of which nothing can be there.
    state.marks[8].stamp = None;
    let known = trust(&state, &state.marks, &torrent.metainfo);
    assert_eq!((numbers(&known.have), numbers(&known.unsure)), (vec![2], vec![1, 9]));
}

#[test]
fn what_is_read_from_the_part_file_is_not_known_by_what_lies_at_the_path() {
    let torrent = torrent();
    let (state, mut now) = (state(&torrent, &[0, 1, 2]), marks(&torrent));
    now[0].aside = true;
    let trusted = trust(&state, &now, &torrent.metainfo);
    assert!(!trusted.have.get(PieceIndex(0)));
    assert!(trusted.unsure.get(PieceIndex(0)));
}

#[test]
fn a_piece_behind_the_end_of_its_file_is_hashed() {
    let torrent = torrent();
    let mut state = state(&torrent, &[6, 7]);
    state.marks[6].stamp = Some(Stamp { length: 1_999, modified: 1 });
    let known = trust(&state, &state.marks, &torrent.metainfo);
    assert_eq!((numbers(&known.have), numbers(&known.unsure)), (vec![6], vec![7, 9]));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        tail in proptest::collection::vec(any::<u8>(), 0..200),
        repair in any::<bool>(),
    ) {
        let torrent = torrent();
        let (mut bytes, _) = state(&torrent, &[0, 5]).to_bytes(BOOT);
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if repair {
            use sha1::Digest;
            let end = bytes.len() - 20;
            let sum = sha1::Sha1::digest(&bytes[..end]);
            bytes[end..].copy_from_slice(&sum);
        }
        bytes.extend(tail);
        let _ = ResumeState::parse(&bytes, about(&torrent), BOOT);
    }
}
