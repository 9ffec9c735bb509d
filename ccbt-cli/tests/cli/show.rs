//! `ccbt show` tells what a torrent or a magnet link says, to people and to scripts.

use std::fs;
use std::process::Output;

use ccbt_peer::wire::Metainfo;
use serde_json::{Value, json};

use crate::support::{Stage, assert_exit, ccbt, run, text};

fn show(line: &[&str]) -> Output {
    let mut command = ccbt();
    command.arg("show").args(line);
    run(command)
}

fn json_of(line: &[&str]) -> Value {
    let output = show(line);
    assert_exit(&output, 0);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

const LINK: &str = "magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6&dn=a%20name\
                    &tr=udp%3A%2F%2Ft.example%3A80&x.pe=10.0.0.1:6881&so=0,2-4";

#[test]
fn a_torrent_shows_its_name_hash_link_and_files() {
    let stage = Stage::new(None);
    let torrent = stage.torrent();
    let output = show(&[&torrent.to_string_lossy()]);
    assert_exit(&output, 0);
    let told = text(&output.stdout);
    let metainfo = Metainfo::parse(&fs::read(&torrent).expect("a torrent")).expect("a torrent");
    let hash = metainfo.info_hash();
    for part in [
        "name        payload.bin\n".to_owned(),
        format!("info hash   {hash}\n"),
        format!("magnet      magnet:?xt=urn:btih:{hash}&dn=payload.bin"),
        "pieces      19 of 16.0 KiB\n".to_owned(),
        "293 KiB  payload.bin\n".to_owned(),
    ] {
        assert!(told.contains(&part), "{part} is not in\n{told}");
    }
}

#[test]
fn a_torrent_of_a_url_is_shown_as_json() {
    let stage = Stage::new(Some(([127, 0, 0, 1], 9).into()));
    let server = stage.serve(fs::read(stage.torrent()).expect("a torrent"));
    let shown = json_of(&[&format!("http://{server}/a.torrent"), "--json"]);
    assert_eq!(shown["name"], "payload.bin");
    assert_eq!(shown["length"], 300_001);
    assert_eq!(shown["trackers"], json!([["http://127.0.0.1:9/announce"]]));
    assert_eq!(shown["torrent"]["pieces"], 19);
    assert_eq!(shown["torrent"]["private"], false);
    let file = json!({"path": "payload.bin", "length": 300_001, "offset": 0, "pad": false});
    assert_eq!(shown["torrent"]["files"], json!([file]));
    assert!(shown.get("scrape").is_none() && shown.get("link").is_none());
}

#[test]
fn a_magnet_link_shows_its_own_fields() {
    let output = show(&[LINK, "--wait", "0"]);
    assert_exit(&output, 0);
    assert!(text(&output.stdout).contains("name        a name\n"));
    let shown = json_of(&[LINK, "--wait", "0", "--json"]);
    assert_eq!(shown["info_hash"], "d0d14c926e6e99761a2fdcff27b403d96376eff6");
    assert_eq!(shown["magnet"], LINK);
    assert_eq!(shown["trackers"], json!([["udp://t.example:80"]]));
    let link = json!({"info_hash_v2": null, "peers": ["10.0.0.1:6881"], "select_only": "0,2-4"});
    assert_eq!(shown["link"], link);
    assert_eq!(shown["length"], Value::Null);
}

#[test]
fn a_tracker_is_scraped_when_that_is_asked_for() {
    let stage = Stage::new(None);
    let metainfo = Metainfo::parse(&stage.metainfo_bytes(None)).expect("a torrent");
    let mut reply = b"d5:filesd20:".to_vec();
    reply.extend(metainfo.info_hash().0);
    reply.extend(b"d8:completei5e10:downloadedi50e10:incompletei1eeee");
    let tracker = stage.serve(reply);
    fs::write(stage.torrent(), stage.metainfo_bytes(Some(tracker))).expect("a torrent");
    let torrent = stage.torrent().to_string_lossy().into_owned();
    let output = show(&[&torrent, "--scrape"]);
    assert_exit(&output, 0);
    let told = text(&output.stdout);
    let expected =
        format!("scrape      http://{tracker}/announce: 5 seeds, 1 leecher, 50 downloads\n");
    assert!(told.contains(&expected), "{told}");
    let shown = json_of(&[&torrent, "--scrape", "--json"]);
    let answer = json!([{
        "tracker": format!("http://{tracker}/announce"),
        "complete": 5, "incomplete": 1, "downloaded": 50, "error": null,
    }]);
    assert_eq!(shown["scrape"], answer);
}

#[test]
fn trackers_that_cannot_be_scraped_are_a_failure() {
    let stage = Stage::new(None);
    let tracker = stage.serve(b"d14:failure reason9:not todaye".to_vec());
    let hash = "d0d14c926e6e99761a2fdcff27b403d96376eff6";
    let link = format!("magnet:?xt=urn:btih:{hash}&tr=http://{tracker}/announce");
    let output = show(&[&link, "--wait", "0", "--scrape"]);
    assert_exit(&output, 1);
    assert!(text(&output.stdout).contains("the tracker refused: not today"));
    assert_eq!(text(&output.stderr), format!("ccbt: {hash}: no tracker could be scraped\n"));
    let output = show(&[&stage.torrent().to_string_lossy(), "--scrape"]);
    assert_exit(&output, 1);
    assert_eq!(text(&output.stderr), "ccbt: payload.bin: has no tracker\n");
}

#[test]
fn each_tracker_of_a_tier_has_its_answer_and_one_count_is_enough() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let metainfo = Metainfo::parse(&stage.metainfo_bytes(None)).expect("a torrent");
    let mut reply = b"d5:filesd20:".to_vec();
    reply.extend(metainfo.info_hash().0);
    reply.extend(b"d8:completei1e10:downloadedi0e10:incompletei2eeee");
    let (good, unknowing) = (stage.serve(reply), stage.serve(b"d5:filesdee".to_vec()));
    let tier = format!("http://{unknowing}/announce,http://{good}/announce");
    let mut create = ccbt();
    create.arg("create").arg(stage.data().join("payload.bin")).arg("-fo").arg(stage.torrent());
    create.args(["-t", &tier, "-t", "http://127.0.0.1:9/no-scrape", "-t", "udp://127.0.0.1"]);
    assert_exit(&run(create), 0);
    let output = show(&[&stage.torrent().to_string_lossy(), "--scrape"]);
    assert_exit(&output, 0);
    let told = text(&output.stdout);
    for line in [
        format!("scrape      http://{unknowing}/announce: the tracker does not know the torrent\n"),
        format!("scrape      http://{good}/announce: 1 seed, 2 leechers, 0 downloads\n"),
        "scrape      http://127.0.0.1:9/no-scrape: the tracker has no scrapes: ".to_owned(),
        "scrape      udp://127.0.0.1: \"udp://127.0.0.1\" is no URL: it names no port\n".to_owned(),
    ] {
        assert!(told.contains(&line), "{line} is not in\n{told}");
    }
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let stage = Stage::new(None);
    fs::write(stage.torrent(), "no torrent").expect("a file");
    let torrent = stage.torrent().to_string_lossy().into_owned();
    for subject in [&*torrent, "/nowhere/a.torrent", "magnet:?dn=a", "magnet:?xt=urn:btih:12"] {
        let output = show(&[subject]);
        assert_exit(&output, 2);
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn escapes_in_a_link_do_not_reach_the_terminal() {
    let hash = "d0d14c926e6e99761a2fdcff27b403d96376eff6";
    let output = show(&[&format!("magnet:?xt=urn:btih:{hash}&dn=a%1b[2Jb"), "--wait", "0"]);
    assert_exit(&output, 0);
    assert!(!output.stdout.contains(&0x1b));
}
