//! What the facts mean, in plain words: what holds the download back, and what to do about it.

mod people;
mod sources;

use serde::Serialize;

use super::facts::Facts;

/// Runs of pieces that are told one by one.
const RUNS: usize = 8;

/// One thing that holds the download back, or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// One word for programs.
    pub(super) code: &'static str,
    pub(super) text: String,
    /// What to do about it; empty if there is nothing to be done.
    pub(super) advice: String,
}

impl Finding {
    fn new(code: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { code, text: text.into(), advice: advice.into() }
    }
}

/// Everything there is to say, what weighs most first; never nothing.
pub(super) fn of(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(facts.in_the_way.iter().map(|line| {
        let advice = "move it away, or choose another folder (--output): a download would end here";
        Finding::new("disk", line.clone(), advice)
    }));
    if facts.need == 0 {
        let text = format!("all {} pieces are here and right: nothing is missing", facts.pieces);
        found.push(Finding::new("complete", text, ""));
    } else {
        // Where peers are to come from matters less as long as some are there.
        let people = missing(facts).into_iter().chain(people::of(facts));
        if facts.totals.peers > 0 {
            found.extend(people);
            found.extend(sources::of(facts));
        } else {
            found.extend(sources::of(facts));
            found.extend(people);
        }
    }
    found.extend(unreachable_from_outside(facts));
    found.extend(facts.troubles.iter().map(|trouble| {
        Finding::new("rule-fails", trouble.clone(), "mend the rule, or leave it out")
    }));
    found
}

/// Pieces that cannot come from anybody who is connected.
fn missing(facts: &Facts) -> Option<Finding> {
    let count = facts.nobody_has.count();
    if facts.totals.peers == 0 || count == 0 {
        return None;
    }
    let (verb, runs) = (if count == 1 { "piece" } else { "pieces" }, facts.nobody_has.words(RUNS));
    let text =
        format!("nobody who is connected has {verb} {runs} ({count} of {} needed)", facts.need);
    let advice = "the download cannot become complete until somebody comes who has them: let it run, and ask \
                  for a seed";
    Some(Finding::new("nobody-has", text, advice))
}

/// A look is long enough to expect somebody.
const EXPECT: u64 = 20_000;

/// Nobody dials in, although others know of us.
fn unreachable_from_outside(facts: &Facts) -> Option<Finding> {
    let listen = facts.listen.as_deref()?;
    let heard_of =
        facts.sources.iter().any(|source| source.replies > 0 && source.source != "--peer");
    if facts.totals.met_incoming > 0 || !heard_of || facts.looked_ms < EXPECT {
        return None;
    }
    let text = format!("nobody has dialed in at {listen}");
    let advice = "if that stays so, a firewall or router keeps them out: choose a port with --listen and forward \
                  it; peers behind such walls themselves are out of reach otherwise";
    Some(Finding::new("nobody-dials-in", text, advice))
}

#[cfg(test)]
mod tests;
