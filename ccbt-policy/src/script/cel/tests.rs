use super::*;
use crate::script::test::When;
use crate::{PeerView, SwarmView, Time};

fn peer() -> PeerView {
    PeerView::new(([10, 1, 2, 3], 6881).into(), Time::ZERO).with(|peer| {
        peer.peer_id = *b"-XL0019-\x00\xffcdefghijkl";
        peer.client = Some("Xunlei 0.0.1.9".into());
        peer.downloaded = 3 << 20;
        peer.have = 4;
    })
}

/// Whether the expression holds for [`peer`] at its handshake.
fn holds(source: &str) -> bool {
    let test = compile(source).unwrap_or_else(|fault| panic!("{source}: {fault:?}")).test;
    match test.when(&peer(), &SwarmView::new(), Time::ZERO) {
        When::From { at, .. } => at == Time::ZERO,
        When::Never => false,
        other => panic!("{source}: {other:?}"),
    }
}

/// Where and what.
fn refused(source: &str) -> (usize, String) {
    let fault = compile(source).expect_err(source);
    (fault.at, fault.problem.to_string())
}

#[test]
fn texts_are_compared_in_whole_and_in_part() {
    for source in [
        "client starts_with \"Xun\"",
        "client starts_with \"-XL\"",
        "client.startsWith(\"-XL\")",
        "client starts_with [\"-SD\", \"-XL\"]",
        "client ends_with \".9\" && client.endsWith('.9')",
        "client contains \"lei\" && client.contains(r'lei')",
        "peer_id starts_with '-XL0019-'",
        "!(peer_id contains \"Xunlei\")",
        "client == \"Xunlei 0.0.1.9\" && \"Xunlei 0.0.1.9\" == client",
        "client != \"Xunlei\"",
        "client in [\"a\", \"Xunlei 0.0.1.9\"] && !(client in [\"a\"]) && !(client in [])",
        "lower(client) starts_with \"xunlei\" && !(lower(client) starts_with \"Xunlei\")",
        "client contains \"\" && !(client == \"\")",
        "!(client starts_with \"Xunlei 0.0.1.9 and more\")",
        "direction == \"outgoing\" && availability != \"all\"",
    ] {
        assert!(holds(source), "{source}");
    }
}

#[test]
fn addresses_are_looked_up_in_ranges() {
    for source in [
        "address in \"10.0.0.0/8\"",
        "in_range(address, \"10.0.0.0/8\")",
        "address in [\"192.0.2.0/24\", \"10.1.2.3\"]",
        "!(address in [\"192.0.2.0/24\", \"2001:db8::/32\"])",
        "address == \"10.1.2.3\" && address != \"10.1.2.4\"",
        "\"::ffff:10.1.2.3\" == address",
        "port in [6881, 51413] && !(port in [80])",
    ] {
        assert!(holds(source), "{source}");
    }
}

#[test]
fn numbers_have_sizes_and_arithmetic() {
    for source in [
        "downloaded == 3MiB && downloaded == 3145728 && downloaded >= 0.5MiB",
        "downloaded < 1GiB && downloaded < 1TiB && downloaded > 3KiB",
        "1 + 2 * 3 - 8 / 4 == 5",
        "1 / 2 == 0.5 && -have < 0 && have - 5 == -1",
        "(1 + 2) * 3 == 9 && 0x10 == 16 && 1e3 == 1000 && 7u == 7",
        "have != 5 && 5 > have && 4 >= have && 4 <= have",
    ] {
        assert!(holds(source), "{source}");
    }
}

#[test]
fn and_binds_before_or_and_not_before_both() {
    assert!(holds("true || false && false"));
    assert!(!holds("(true || false) && false"));
    assert!(holds("!false && !(false || false)"));
    assert!(holds("(have > 3) == true && am_choking == peer_choking && am_choking != fast"));
    assert!(holds("// who has four\nhave == 4 // pieces"));
}

#[test]
fn what_is_unknown_is_never_true() {
    for source in ["median_worth", "progress", "progress * 2 + 1", "-progress"] {
        for relation in ["<", "<=", "==", "!=", ">=", ">"] {
            assert!(!holds(&format!("{source} {relation} 1")), "{source} {relation}");
        }
    }
    for relation in ["<", "<=", "==", "!=", ">=", ">"] {
        assert!(!holds(&format!("block_age {relation} 1s")), "{relation}");
        assert!(!holds(&format!("block_age {relation} age")), "{relation}");
    }
}

#[test]
fn types_are_checked_with_their_place() {
    for (source, at, message) in [
        ("client > 3", 7, "> does not go between text and number"),
        (
            "true || age > 120",
            12,
            "> does not go between age and number; an age is compared with a duration such as 2m",
        ),
        (
            "downloaded > 2m",
            11,
            "> does not go between number and duration; a duration is compared with an age",
        ),
        ("have + client == 3", 5, "+ does not go between number and text"),
        ("fast && have", 5, "&& does not go between yes or no and number"),
        ("have starts_with \"4\"", 5, "starts_with does not go between number and text"),
        ("client starts_with 4", 7, "starts_with does not go between text and number"),
        ("client in [\"a\", 4]", 16, "== does not go between text and number"),
        (
            "address in [\"10.0.0.0/8\", \"x\"]",
            26,
            "\"x\" is not an address, or a range such as 10.0.0.0/8",
        ),
        ("address == \"10.0.0\"", 8, "\"10.0.0\" is not an address, or a range such as 10.0.0.0/8"),
        ("!have", 0, "! does not go with a number"),
        ("-client == 1", 0, "- does not go with a text"),
        ("have", 0, "a rule is true or false, and this is a number"),
        ("direction == \"in\"", 10, "direction is never \"in\", only one of incoming, outgoing"),
        ("direction in [\"in\"]", 14, "direction is never \"in\", only one of incoming, outgoing"),
        ("\"a\" == \"b\"", 4, "== does not go between text and text"),
        ("client starts_with lower(client)", 7, "starts_with does not go between text and text"),
    ] {
        assert_eq!(refused(source), (at, message.to_owned()), "{source}");
    }
}

#[test]
fn unknown_names_are_told_with_what_was_perhaps_meant() {
    for (source, at, message) in [
        ("downloadd == 0", 0, "there is no fact \"downloadd\"; did you mean \"downloaded\"?"),
        ("fast && clients == \"x\"", 8, "there is no fact \"clients\"; did you mean \"client\"?"),
        ("fast && xyzzy", 8, "there is no fact \"xyzzy\""),
        ("é == 1", 0, "é does not belong here"),
    ] {
        assert_eq!(refused(source), (at, message.to_owned()), "{source}");
    }
}

#[test]
fn what_the_language_has_and_a_rule_has_not_is_refused() {
    for (source, at) in [
        ("fast ? true : false", 5),
        ("[1, 2].all(x, x > 0)", 10),
        ("{\"a\": 1} == 2", 0),
        ("client.size() > 3", 11),
        ("size(client) > 3", 4),
        ("client.name == \"x\"", 6),
        ("client.matches(\"x\")", 14),
        ("have % 2 == 0", 5),
        ("client == null", 10),
        ("client == b'x'", 10),
        ("duration(\"2 minutes\") < age", 8),
        ("lower(client, client) == \"x\"", 5),
        ("[client][0] == \"x\"", 8),
        ("age > 2min", 7),
    ] {
        assert_eq!(refused(source).0, at, "{source}: {}", refused(source).1);
    }
}

#[test]
fn syntax_errors_have_their_place() {
    for (source, at) in [
        ("fast &&", 7),
        ("fast && && dht", 8),
        ("client == \"é\" && && dht", 18),
        ("fast dht", 5),
        ("(fast", 5),
        ("fast)", 4),
        ("fast = true", 5),
        ("", 0),
        ("  ", 0),
        ("client starts_with", 18),
        ("starts_with \"x\"", 0),
        ("fast\n&& client starts_with starts_with \"x\"", 27),
        ("fast & dht", 5),
        ("client == \"abc", 10),
    ] {
        let (found, message) = refused(source);
        assert_eq!(found, at, "{source}: {message}");
        assert!(!message.contains("__") && !message.contains('\n'), "{message}");
    }
}

#[test]
fn syntax_errors_are_told_in_words() {
    for (source, message) in [
        ("fast &&", "something is missing here"),
        ("fast && && dht", "&& does not belong here"),
        ("(fast", "missing ')' at the end"),
        ("fast = true", "write == to compare"),
        ("fast & dht", "write && for and"),
        ("fast | dht", "write || for or"),
        ("fast and dht", "write && for and"),
        ("fast or dht", "write || for or"),
        ("starts_with \"x\"", "starts_with does not belong here"),
        ("client == \"abc", "the text that begins here does not end"),
    ] {
        assert_eq!(refused(source).1, message, "{source}");
    }
}

#[test]
fn length_and_depth_are_bounded() {
    let list = |n| format!("address in [{}]", vec!["\"192.0.2.0/24\""; n].join(","));
    assert!(compile(&list(2_000)).is_ok());
    assert_eq!(refused(&list(3_000)).1, "the expression has 45012 bytes, of at most 32768");
    let nested = |n: usize| format!("{}fast{}", "(".repeat(n), ")".repeat(n));
    assert!(compile(&nested(8)).is_ok());
    assert!(compile(&nested(9)).is_err());
    assert!(compile(&vec!["fast"; 3_000].join(" || ")).is_ok());
    assert!(compile(&format!("{} == 1", vec!["have"; 31].join(" + "))).is_ok());
    // As deep as a tree can be: on a test's stack of 2 MiB.
    let chain = vec!["have"; 29].join(" + ");
    let deepest = (0..8).fold(chain.clone(), |inner, _| format!("({inner}) + {chain}"));
    assert!(compile(&format!("{deepest} == 1")).is_ok());
}

#[test]
fn each_fact_is_named_once() {
    let facts = compile("age > 1m && age < 2m && fast").unwrap().facts;
    assert_eq!(facts.iter().map(|fact| fact.name).collect::<Vec<_>>(), ["age", "fast"]);
}
