//! The page about scripts is true.
#![cfg(feature = "script")]

use ccbt_policy::script::{Rules, SAMPLE_PERIOD, facts_table};

const PAGE: &str = include_str!("../../docs/scripts.md");

#[test]
fn the_page_has_every_fact_as_the_code_has_it() {
    let table = facts_table();
    assert!(PAGE.contains(&table), "docs/scripts.md should have this table:\n\n{table}");
}

#[test]
fn every_example_of_the_page_is_accepted() {
    let examples: Vec<&str> =
        PAGE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 2);
    for example in examples {
        let read = Rules::parse("page.toml", example)
            .or_else(|_| Rules::parse_within("page.toml", example, &["evict", "rule"]));
        assert!(read.is_ok_and(|rules| !rules.is_empty()), "{example}");
    }
}

#[test]
fn the_page_tells_the_period_of_the_samples() {
    assert!(PAGE.contains(&format!("every {} s", SAMPLE_PERIOD.as_secs())));
}
