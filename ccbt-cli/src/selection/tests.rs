use ccbt_peer::wire::metainfo::build::Builder;
use clap::Parser;

use super::*;
use crate::args::{Cli, Command};

/// 0 a.mkv, 1 sub/b.mkv, 2 sub/c [x].srt, 3 sub/deep/2024, 4 z.txt
fn metainfo() -> Metainfo {
    let files =
        [("a.mkv", 1), ("sub/b.mkv", 1), ("sub/c [x].srt", 1), ("sub/deep/2024", 1), ("z.txt", 0)];
    let builder = Builder::multi("n", 16_384, files).pieces([[0; 20]]);
    Metainfo::parse(&builder.encode()).unwrap()
}

fn told(options: &[&str], only: Option<&str>) -> Result<Choice, String> {
    let line = [&["ccbt", "get", "a.torrent"], options].concat();
    let cli = Cli::try_parse_from(line).map_err(|error| error.to_string())?;
    let Command::Get(get) = cli.command else { unreachable!("the command is get") };
    let only: Option<FileSelection> = only.map(|only| only.parse().unwrap());
    choose(&metainfo(), &get.choice, only.as_ref()).map_err(|failure| {
        assert_eq!(failure.exit, Exit::Refused);
        failure.message
    })
}

fn files(specs: &[&str]) -> Vec<usize> {
    let options: Vec<&str> = specs.iter().flat_map(|spec| ["--files", spec]).collect();
    let choice = told(&options, None).unwrap();
    (0..5).filter(|file| choice.wants(*file)).collect()
}

#[test]
fn files_are_named_by_number_range_pattern_path_or_folder() {
    for (specs, expected) in [
        (&[][..], &[0, 1, 2, 3, 4][..]),
        (&["3"], &[3]),
        (&["1-2,4"], &[1, 2, 4]),
        (&["0", "3-"], &[0, 3, 4]),
        (&["*.mkv"], &[0, 1]),
        (&["/*.mkv"], &[0]),
        (&["sub/*"], &[1, 2, 3]),
        (&["sub/*.*"], &[1, 2]),
        (&["sub"], &[1, 2, 3]),
        (&["deep/"], &[3]),
        (&["sub/**/2024"], &[3]),
        (&["/sub/deep/2024"], &[3]),
        (&["n/sub/b.mkv"], &[1]),
        (&["n/*.mkv"], &[0]),
        (&["c [x].srt"], &[2]),
        (&["{a,b}.mkv"], &[0, 1]),
        (&["!sub/**"], &[0, 4]),
        (&["!*.mkv", "!4"], &[2, 3]),
        (&["*.mkv", "!0"], &[1]),
    ] {
        assert_eq!(files(specs), expected, "{specs:?}");
    }
}

#[test]
fn what_means_no_file_is_named() {
    for (spec, why) in [
        ("5", "--files 5: there is no file 5, only 0 to 4 (ccbt get --list)"),
        ("1-7", "--files 1-7: there is no file 7, only 0 to 4 (ccbt get --list)"),
        ("9-", "--files 9-: there is no file 9, only 0 to 4 (ccbt get --list)"),
        ("*.avi", "--files *.avi: no file is meant by it (ccbt get --list)"),
        ("/b.mkv", "--files /b.mkv: no file is meant by it (ccbt get --list)"),
        ("!0-", "--files leaves no file (ccbt get --list)"),
    ] {
        assert_eq!(told(&["--files", spec], None).unwrap_err(), why);
    }
    for spec in ["", "/", "!", "4-2", "1,,2", "-3", "99999999999999999999"] {
        assert!(told(&["--files", spec], None).is_err(), "{spec}");
    }
}

#[test]
fn the_first_files_are_those_that_are_wanted_most() {
    let choice = told(&["--files", "sub", "--first", "*.mkv", "--sequential"], None).unwrap();
    let expected = Choice::only(&metainfo(), [2, 3]).with(1, Priority::High).sequential();
    assert_eq!(choice, expected);
    assert!(told(&["--first", "!0"], None).unwrap_err().starts_with("--first !0: "));
    assert!(told(&["--first", "7"], None).unwrap_err().starts_with("--first 7: "));
}

#[test]
fn a_magnet_link_chooses_unless_the_person_does() {
    let choice = told(&[], Some("1,3")).unwrap();
    assert_eq!(choice, Choice::only(&metainfo(), [1, 3]));
    let choice = told(&["--files", "0"], Some("1,3")).unwrap();
    assert_eq!(choice, Choice::only(&metainfo(), [0]));
}

#[test]
fn the_list_has_number_size_and_path() {
    let choice = Choice::only(&metainfo(), [1, 4]);
    assert_eq!(lines(&metainfo(), &choice), ["1       1 B  n/sub/b.mkv", "4       0 B  n/z.txt"]);
    assert_eq!(size(&metainfo(), &choice), (2, 1));
}
