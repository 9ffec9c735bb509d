use super::*;

use ccbt_peer::wire::metainfo::build;

const PIECE: usize = 16 << 10;

/// Three files: two and a half pieces, half a piece, none, and one piece.
fn torrent() -> Metainfo {
    let a = vec![1; PIECE * 5 / 2];
    let b = vec![2; PIECE / 2];
    let d = vec![3; PIECE];
    let files: [(&str, &[u8]); 4] = [("a", &a), ("b", &b), ("c", b""), ("d", &d)];
    let bytes = build::multi_file("n", u32::try_from(PIECE).unwrap(), &files, None);
    Metainfo::parse(&bytes).unwrap()
}

fn all_there(metainfo: &Metainfo) -> Vec<Found> {
    metainfo.files().iter().map(|file| Found::File(file.length)).collect()
}

fn states(metainfo: &Metainfo, found: &[Found], bad: &[u32]) -> (Vec<State>, Ranges, Ranges) {
    let mut have = Bitfield::full(metainfo.piece_count());
    for &piece in bad {
        have.set(PieceIndex(piece), false);
    }
    let findings = Findings::of(metainfo, found, &have, &Choice::all(metainfo));
    let states = findings.files.iter().map(|file| file.state).collect();
    (states, findings.wrong_pieces, findings.missing_pieces)
}

#[test]
fn nothing_is_wrong_with_what_is_right() {
    let metainfo = torrent();
    let (found, have) = (all_there(&metainfo), Bitfield::full(metainfo.piece_count()));
    let findings = Findings::of(&metainfo, &found, &have, &Choice::all(&metainfo));
    assert!(findings.complete);
    assert_eq!(findings.right, 4);
    assert_eq!(findings.bad_files().count(), 0);
}

#[test]
fn a_wrong_piece_is_held_against_every_file_that_has_a_part_of_it() {
    use State::{Right, Wrong};
    let metainfo = torrent();
    let (files, wrong, missing) = states(&metainfo, &all_there(&metainfo), &[2]);
    assert_eq!(files, [Wrong, Wrong, Right, Right]);
    assert_eq!((wrong.0, missing.0), (vec![(2, 2)], vec![]));
}

#[test]
fn a_file_beside_a_missing_one_is_not_called_wrong() {
    let metainfo = torrent();
    let mut found = all_there(&metainfo);
    found[0] = Found::Nothing;
    let (files, wrong, missing) = states(&metainfo, &found, &[0, 1, 2]);
    assert_eq!(files, [State::Missing, State::Unproven, State::Right, State::Right]);
    assert_eq!((wrong.0, missing.0), (vec![], vec![(0, 2)]));
}

#[test]
fn a_file_that_is_cut_off_has_wrong_pieces_before_its_end_and_missing_ones_behind() {
    let metainfo = torrent();
    let mut found = all_there(&metainfo);
    found[0] = Found::File(PIECE as u64);
    let (files, wrong, missing) = states(&metainfo, &found, &[0, 1, 2]);
    assert_eq!(files[0], State::TooShort);
    assert_eq!((wrong.0, missing.0), (vec![(0, 0)], vec![(1, 2)]));
}

#[test]
fn a_file_of_another_kind_or_length_is_bad_though_every_piece_is_right() {
    let metainfo = torrent();
    let mut found = all_there(&metainfo);
    found[2] = Found::Nothing;
    found[3] = Found::File(PIECE as u64 + 1);
    let (files, ..) = states(&metainfo, &found, &[]);
    assert_eq!(files[2..], [State::Missing, State::TooLong]);
    found[2] = Found::Other("a folder");
    assert_eq!(states(&metainfo, &found, &[]).0[2], State::NoFile);
    let findings = Findings::of(
        &metainfo,
        &found,
        &Bitfield::full(metainfo.piece_count()),
        &Choice::all(&metainfo),
    );
    assert!(!findings.complete);
}

#[test]
fn pieces_in_a_row_are_told_as_one() {
    let ranges = Ranges::of([1, 3, 4, 5, 9, 11]);
    assert_eq!(ranges.0, [(1, 1), (3, 5), (9, 9), (11, 11)]);
    assert_eq!(ranges.count(), 6);
    assert_eq!(ranges.words(9), "1, 3-5, 9, 11");
    assert_eq!(ranges.words(2), "1, 3-5 and 2 more");
    assert_eq!(Ranges::default().words(1), "");
}

#[test]
fn a_finding_in_json_has_these_names() {
    let metainfo = torrent();
    let mut found = all_there(&metainfo);
    found[3] = Found::Other("a folder");
    let mut have = Bitfield::full(metainfo.piece_count());
    have.set(PieceIndex(3), false);
    let json =
        serde_json::to_value(Findings::of(&metainfo, &found, &have, &Choice::all(&metainfo)))
            .unwrap();
    assert_eq!(json["complete"], false);
    assert_eq!(json["missing_pieces"], serde_json::json!([[3, 3]]));
    assert_eq!(json["wrong_pieces"], serde_json::json!([]));
    let file = serde_json::json!({
        "path": "n/d", "length": PIECE, "found": null, "state": "no-file", "is": "a folder",
        "bad_pieces": [[3, 3]],
    });
    assert_eq!(json["files"][3], file);
}

#[test]
fn what_is_not_chosen_is_neither_right_nor_wrong() {
    use State::{NotChosen, Right};
    let metainfo = torrent();
    let found = [Found::Nothing, Found::File(PIECE as u64 / 2), Found::Nothing, Found::Nothing];
    let mut have = Bitfield::new(4);
    have.set(PieceIndex(2), true);
    let findings = Findings::of(&metainfo, &found, &have, &Choice::only(&metainfo, [1]));
    let states: Vec<State> = findings.files.iter().map(|file| file.state).collect();
    assert_eq!(states, [NotChosen, Right, NotChosen, NotChosen]);
    assert!(findings.complete);
    let findings = Findings::of(&metainfo, &found, &have, &Choice::only(&metainfo, [1, 3]));
    assert_eq!((findings.complete, findings.missing_pieces), (false, Ranges(vec![(3, 3)])));
}
