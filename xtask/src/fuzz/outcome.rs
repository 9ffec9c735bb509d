//! What the fuzzer said at its end.

/// A run of one target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) executions: u64,
    /// How many inputs reach something that no other reaches.
    pub(super) inputs: u64,
    /// What broke, in the fuzzer's or the target's words.
    pub(super) crash: Option<String>,
}

impl Outcome {
    /// Reads the log of a run.
    pub(super) fn of(log: &str, ended_well: bool) -> Self {
        let executions = log
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .and_then(|number| number.trim().parse().ok());
        let inputs = log
            .lines()
            .rev()
            .find_map(|line| Some(line.split_once(" corp: ")?.1))
            .and_then(|corpus| corpus.split(['/', ' ']).next()?.parse().ok());
        Self {
            executions: executions.unwrap_or(0),
            inputs: inputs.unwrap_or(0),
            crash: (!ended_well).then(|| why(log)),
        }
    }
}

/// The panic and its place, or what the sanitizer found.
fn why(log: &str) -> String {
    let mut lines = log.lines();
    let panicked = lines.find_map(|line| line.split_once(" panicked at "));
    match (panicked, lines.next()) {
        (Some((_, place)), Some(message)) => format!("{message} ({})", place.trim_end_matches(':')),
        _ => {
            let error = log.lines().find(|line| line.contains("ERROR: "));
            error.unwrap_or("it ended without a word").trim().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_ends_well_has_its_numbers() {
        let log = "#2 INITED cov: 5 ft: 5 corp: 1/1b exec/s: 0\n\
                   #900 DONE   cov: 568 ft: 2294 corp: 331/34Kb lim: 1675 exec/s: 59436 rss: 468Mb\n\
                   stat::number_of_executed_units: 900\n";
        assert_eq!(Outcome::of(log, true), Outcome { executions: 900, inputs: 331, crash: None });
    }

    #[test]
    fn a_panic_is_told_with_its_place() {
        let log = "thread '<unnamed>' (1) panicked at src/swarm.rs:103:21:\nattempt to divide\n\
                   ==1== ERROR: libFuzzer: deadly signal\n";
        let outcome = Outcome::of(log, false);
        assert_eq!(outcome.crash.as_deref(), Some("attempt to divide (src/swarm.rs:103:21)"));
    }

    #[test]
    fn memory_without_end_is_told_in_the_words_of_the_fuzzer() {
        let outcome = Outcome::of("==7== ERROR: libFuzzer: out-of-memory (used: 2100Mb)", false);
        let told = outcome.crash.unwrap();
        assert_eq!(told, "==7== ERROR: libFuzzer: out-of-memory (used: 2100Mb)");
    }
}
