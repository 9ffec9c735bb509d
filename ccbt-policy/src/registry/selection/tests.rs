use super::*;
use crate::{EvictionPolicy, PeerView, SwarmView, Time};

const STANDARD: &str = "bitfield-timeout=60s no-interest=10s health=30s/30s redundant=0s rejecter=50 liar=7 \
                        flood=on turnover=4%/90%/300s/400%";

/// What is on after `specs`.
fn chosen(specs: &[&str]) -> String {
    let mut selection = Selection::standard();
    specs.iter().for_each(|spec| selection.apply(spec).unwrap());
    selection.chosen().collect::<Vec<_>>().join(" ")
}

fn after(specs: &[&str]) -> Result<String, String> {
    let mut selection = Selection::standard();
    for spec in specs {
        selection.apply(spec).map_err(|error| error.to_string())?;
    }
    Ok(selection.to_string())
}

#[test]
fn every_rule_reads_its_own_defaults_and_writes_them_back() {
    for info in RULES {
        let spec = info.default_spec();
        assert_eq!(chosen(&["all=off", &spec]), spec);
        assert_eq!(chosen(&["all=off", &format!("{}=on", info.name)]), spec);
        for option in info.options.iter().chain(PRESSURES) {
            let spec = format!("{spec},{}", option.name);
            assert_eq!(chosen(&["all=off", &spec]), spec);
        }
    }
    let defaults: Vec<&str> = TURNOVER_PARAMETERS.iter().map(|number| number.default).collect();
    let turnover = format!("turnover={}", defaults.join("/"));
    assert_eq!(chosen(&["all=off", "turnover=on"]), turnover);
    assert_eq!(chosen(&["all=off", &turnover]), turnover);
}

#[test]
fn every_preset_is_what_it_says() {
    for preset in PRESETS {
        let spec = format!("preset={}", preset.name);
        let mut told: Vec<&str> = preset.specs.to_vec();
        let shown = chosen(&["all=off", "snubbed=1s", &spec]);
        let mut shown: Vec<&str> = shown.split_whitespace().collect();
        told.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, told, "{}", preset.name);
    }
    assert_eq!(chosen(&[]), STANDARD);
    assert_eq!(chosen(&["preset=seed", "preset=standard"]), STANDARD);
}

#[test]
fn every_rule_is_on_in_some_preset() {
    for info in RULES {
        assert!(info.presets().next().is_some(), "{}", info.name);
    }
    let health = RULES.iter().find(|info| info.name == "health").unwrap();
    let held: Vec<_> = health.presets().map(|(preset, value)| (preset.name, value)).collect();
    assert_eq!(held, [("standard", "30s/30s".into()), ("seed", "30s/30s,literal".into())]);
}

#[test]
fn single_rules_override_a_preset() {
    assert_eq!(
        chosen(&["preset=transmission", "idle=off", "snubbed=on,when-crowded", "turnover=on"]),
        "redundant=30s,pex snubbed=120s,when-crowded liar=10 turnover=4%/90%/300s/400%"
    );
}

#[test]
fn a_preset_brings_its_ranking() {
    let mut selection = Selection::standard();
    assert_eq!(selection.ranking().name(), "by-exchange");
    selection.apply("preset=libtorrent").unwrap();
    selection.apply("redundant=off").unwrap();
    assert_eq!(selection.ranking().name(), "like-libtorrent");
}

#[test]
fn pressure_wraps_the_rule() {
    let mut selection = Selection::standard();
    selection.apply("all=off").unwrap();
    selection.apply("snubbed=0s,when-crowded,near-limit").unwrap();
    let snubbing = PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO)
        .with(|peer| peer.snubbed_since = Some(Time::ZERO));
    let spare = |crowded, free_slots| {
        let swarm = SwarmView::new().with(|s| (s.crowded, s.free_slots) = (crowded, free_slots));
        let verdict = selection.build().judge(&snubbing, &swarm, Time::ZERO);
        assert_eq!(verdict.evict, None);
        verdict.spare.is_some()
    };
    assert_eq!([spare(true, 5), spare(true, 6), spare(false, 5)], [true, false, false]);
}

#[test]
fn the_standard_selection_is_the_standard_set() {
    let names =
        |set: &PolicySet| set.iter().map(|policy| policy.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&Selection::standard().build()), names(&PolicySet::standard()));
    assert_eq!(
        format!("{:?}", Selection::standard().build()),
        format!("{:?}", PolicySet::standard())
    );
}

#[test]
fn later_specifications_win() {
    let specs = ["all=off", "health=1m/500ms,one-sided", "no-interest=1s", "no-interest=0s"];
    assert_eq!(chosen(&specs), "no-interest=0s health=60s/500ms,one-sided");
}

#[test]
fn what_is_shown_makes_the_same_selection() {
    let shown = after(&["health=45s/1.5s", "no-interest=2s,one-sided", "redundant=off"]).unwrap();
    assert_eq!(after(&shown.split(' ').collect::<Vec<_>>()), Ok(shown));
}

#[test]
fn all_off_keeps_everybody() {
    let mut selection = Selection::standard();
    selection.apply("all=off").unwrap();
    assert!(selection.build().is_empty());
    assert_eq!(selection.turnover(), None);
}

#[test]
fn an_error_names_the_culprit_and_what_is_allowed() {
    for (spec, error) in [
        ("health", "\"health\" is not NAME=VALUE, such as bitfield-timeout=60s or all=off"),
        ("", "\"\" is not NAME=VALUE, such as bitfield-timeout=60s or all=off"),
        (
            "bitfeld-timeout=1s",
            "there is no rule \"bitfeld-timeout\"; the rules are bitfield-timeout, no-interest, health, redundant, \
                 no-mutual-interest, takes-only, starved, snubbed, rejecter, waster, no-request, idle, inactive, \
                 liar, flood, turnover, preset, all",
        ),
        ("all=60s", "all=60s makes no sense, only all=off does"),
        (
            "no-interest=yes",
            "no-interest: \"yes\" is not a duration such as 500ms, 60s, 1.5s, 2m or 1h; the rule is written \
             no-interest=GRACE[,one-sided][,literal] or no-interest=off",
        ),
        (
            "redundant=0s,one-sided",
            "redundant has no option \"one-sided\"; the rule is written \
                 redundant=DELAY[,uninteresting][,pex] or redundant=off",
        ),
        (
            "health=30s",
            "health does not take \"30s\"; the rule is written health=PERIOD/GRACE[,one-sided][,literal] or health=off",
        ),
        (
            "bitfield-timeout=1s/2s",
            "bitfield-timeout does not take \"1s/2s\"; the rule is written bitfield-timeout=TIMEOUT[,mute][,literal] or \
             bitfield-timeout=off",
        ),
        (
            "rejecter=0",
            "rejecter: rejects \"0\" is not a whole number above zero, such as 50; the rule is written \
                 rejecter=REJECTS or rejecter=off",
        ),
        (
            "liar=+7",
            "liar: distrust \"+7\" is not a whole number above zero, such as 50; the rule is written \
                 liar=DISTRUST or liar=off",
        ),
        ("flood=1s", "flood does not take \"1s\"; the rule is written flood=on or flood=off"),
        (
            "turnover=4/90%/300s/400%",
            "turnover: share \"4\" is not a whole number of percent, such as 90%; the rule is written \
                 turnover=SHARE/THRESHOLD/PERIOD/GAIN or turnover=off",
        ),
        (
            "turnover=4%/90%/0s/400%",
            "turnover: the period between two checks is 0, it must be 1 microsecond or more",
        ),
        (
            "turnover=4%",
            "turnover does not take \"4%\"; the rule is written turnover=SHARE/THRESHOLD/PERIOD/GAIN or \
                 turnover=off",
        ),
        (
            "preset=sed",
            "there is no preset \"sed\"; the presets are standard, seed, balanced, strict, libtorrent, \
                 transmission, aria2, off",
        ),
        (
            "health=0s/30s",
            "health: the period between two checks is 0, it must be 1 microsecond or more",
        ),
    ] {
        assert_eq!(after(&[spec]), Err(error.into()), "{spec}");
    }
}

#[test]
fn an_error_changes_nothing() {
    let mut selection = Selection::standard();
    assert!(selection.apply("health=30s/99999999999999999999s").is_err());
    assert_eq!(selection.to_string(), Selection::standard().to_string());
}
