//! Whatever a person writes: no panic, in bounded work, and what is accepted can be judged.
#![cfg(feature = "script")]

use std::time::Duration;

use ccbt_policy::script::{FACTS, Rules};
use ccbt_policy::{Availability, EvictionPolicy, PeerView, SwarmView, Time};
use proptest::prelude::*;

fn table(when: &str) -> String {
    // A literal text of TOML holds everything but its quotes and control characters.
    let when: String = when.chars().filter(|c| *c != '\'' && !c.is_control()).collect();
    format!("[[rule]]\nname = 'any'\nwhen = '''{when}'''\n")
}

fn peer() -> PeerView {
    PeerView::new(([192, 0, 2, 1], 6881).into(), Time::from_secs(1)).with(|p| {
        p.set_availability(Time::from_secs(2), Availability::Some);
        p.last_request_at = Some(Time::from_secs(40));
        p.client = Some("-XL0019-".into());
        p.downloaded = 1 << 20;
    })
}

/// Judges at several instants; a deadline in the future has to hold when it comes.
fn judge(text: &str) {
    let Ok(rules) = Rules::parse("any.toml", text) else { return };
    for rule in rules.iter() {
        for now in [1, 2, 41, 100, 10_000].map(Time::from_secs) {
            let verdict = rule.judge(&peer(), &SwarmView::new(), now);
            assert!(verdict.look_again.is_none_or(|at| at > now));
            if let Some(eviction) = verdict.evict {
                assert!(eviction.at >= peer().connected_at);
                let then = eviction.at.max(now);
                let again = rule.judge(&peer(), &SwarmView::new(), then);
                assert_eq!(again.evict, Some(eviction), "{text}");
                rule.explain(&peer(), &SwarmView::new(), &eviction);
            }
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    let facts: Vec<&str> = FACTS.iter().map(|fact| fact.name).collect();
    let signs = [
        "&&",
        "||",
        "!",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "?",
        ":",
        "in",
        "starts_with",
        "ends_with",
        "contains",
        "lower(",
        "in_range(",
        "duration(",
        "true",
        "false",
        "null",
        "0",
        "1",
        "1.5",
        "2m",
        "30s",
        "16MiB",
        "1e400",
        "0x",
        "\"-XL\"",
        "\"10.0.0.0/8\"",
        "\"",
        "r\"",
        "//",
        "\\",
        "é",
        "\u{0}",
        "\n",
    ];
    prop_oneof![
        proptest::sample::select(facts).prop_map(str::to_owned),
        proptest::sample::select(signs.to_vec()).prop_map(str::to_owned),
    ]
}

/// Expressions that fit.
fn expression() -> impl Strategy<Value = String> {
    let ages = ["age", "request_age", "unwanted_age", "block_age"];
    let relations = ["<", "<=", "==", "!=", ">=", ">"];
    let leaf = prop_oneof![
        (
            proptest::sample::select(ages.to_vec()),
            proptest::sample::select(relations.to_vec()),
            0..200_u32
        )
            .prop_map(|(age, relation, secs)| format!("{age} {relation} {secs}s")),
        (proptest::sample::select(ages.to_vec()), proptest::sample::select(relations.to_vec()))
            .prop_map(|(age, relation)| format!("age {relation} {age}")),
        Just("downloaded > 4KiB".to_owned()),
        Just("wanted / uploaded > 1".to_owned()),
        Just("useful".to_owned()),
        Just("client starts_with \"-XL\"".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        judge(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn arbitrary_text_as_an_expression_never_panics(text in ".{0,200}") {
        judge(&table(&text));
    }

    #[test]
    fn arbitrary_words_as_an_expression_never_panic(words in proptest::collection::vec(word(), 0..200)) {
        judge(&table(&words.join(" ")));
        judge(&table(&words.concat()));
    }

    #[test]
    fn a_deadline_holds_when_it_comes_and_not_a_microsecond_before(when in expression()) {
        let text = table(&when);
        prop_assert!(Rules::parse("any.toml", &text).is_ok(), "{}", text);
        judge(&text);
        let rules = Rules::parse("any.toml", &text).unwrap();
        let rule = rules.iter().next().unwrap();
        let at = |now| rule.judge(&peer(), &SwarmView::new(), now).evict.map(|eviction| eviction.at);
        let birth = peer().connected_at;
        if let Some(due) = at(birth).filter(|&due| due > birth) {
            let before = Time::from_micros(due.as_micros() - 1);
            prop_assert_eq!(at(before), Some(due));
            prop_assert_eq!(at(due), Some(due));
        }
        // The truth by brute force: nothing happens between two of these instants.
        let holds = |now: Time| at(now).is_some_and(|due| due <= now);
        let mut instants: Vec<Time> = (0..=245).map(Time::from_secs).collect();
        instants.extend(instants.clone().iter().map(|&at| at + Duration::from_micros(1)));
        instants.retain(|&instant| instant >= birth);
        instants.sort();
        let mut run = None;
        for instant in instants {
            run = holds(instant).then(|| run.unwrap_or(instant));
            prop_assert_eq!(at(instant).filter(|&due| due <= instant), run, "{} at {}", when, instant);
        }
    }
}
