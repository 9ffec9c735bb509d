use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Misfit, RULES, Rule, RuleInfo, SpecError, parse_duration};
use crate::PolicySet;
use crate::rules::{BitfieldTimeout, Health, NoInterest, Redundant};

/// Which rules are on, with which numbers.
///
/// It is changed by specifications such as a command line gives; see [`apply`](Self::apply). Shown,
/// it is a list of specifications that make the same selection.
#[derive(Clone, Debug)]
pub struct Selection {
    rules: Vec<(&'static RuleInfo, Option<Arc<dyn Rule>>)>,
}

impl Selection {
    /// Every rule with its default numbers.
    pub fn standard() -> Self {
        let standard: [(&str, Arc<dyn Rule>); 4] = [
            (BitfieldTimeout::NAME, Arc::new(BitfieldTimeout::default())),
            (NoInterest::NAME, Arc::new(NoInterest::default())),
            (Health::NAME, Arc::new(Health::default())),
            (Redundant::NAME, Arc::new(Redundant::default())),
        ];
        let default_of = |info: &RuleInfo| {
            standard.iter().find(|(name, _)| *name == info.name).map(|(_, r)| r.clone())
        };
        Self { rules: RULES.iter().map(|info| (info, default_of(info))).collect() }
    }

    /// Changes one rule, or turns all off.
    ///
    /// - `NAME=VALUE`: that rule is on, with that number: `bitfield-timeout=60s`. One that has
    ///   several takes all of them: `health=30s/30s`.
    /// - `NAME=VALUE,option`: with an option: `no-interest=10s,one-sided`.
    /// - `NAME=off`: that rule is off.
    /// - `all=off`: every rule is off.
    ///
    /// # Errors
    /// [`SpecError`], which shows the part that is wrong and what is allowed there. The selection
    /// is then unchanged.
    pub fn apply(&mut self, spec: &str) -> Result<(), SpecError> {
        let (name, value) = spec
            .split_once('=')
            .ok_or_else(|| SpecError::NotAnAssignment { spec: spec.to_owned() })?;
        if name == "all" {
            if value != "off" {
                return Err(SpecError::AllOnlyOff { value: value.to_owned() });
            }
            self.rules.iter_mut().for_each(|(_, rule)| *rule = None);
            return Ok(());
        }
        let (info, rule) = self
            .rules
            .iter_mut()
            .find(|(info, _)| info.name == name)
            .ok_or_else(|| SpecError::UnknownRule { name: name.to_owned() })?;
        *rule = if value == "off" { None } else { Some(parse(info, value)?) };
        Ok(())
    }

    /// A policy of the rules that are on.
    pub fn build(&self) -> PolicySet {
        self.rules
            .iter()
            .filter_map(|(_, rule)| rule.clone())
            .fold(PolicySet::new(), PolicySet::with)
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self::standard()
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (info, rule)) in self.rules.iter().enumerate() {
            let gap = if nth == 0 { "" } else { " " };
            match rule {
                Some(rule) => write!(f, "{gap}{rule}")?,
                None => write!(f, "{gap}{}=off", info.name)?,
            }
        }
        Ok(())
    }
}

fn parse(info: &'static RuleInfo, value: &str) -> Result<Arc<dyn Rule>, SpecError> {
    let mut parts = value.split(',');
    let numbers = parts.next().unwrap_or_default();
    let options: Vec<&str> = parts.collect();
    let is_unknown = |option: &&&str| !info.options.iter().any(|known| known.name == **option);
    if let Some(option) = options.iter().find(is_unknown) {
        return Err(SpecError::UnknownOption { rule: info.name, option: (*option).to_owned() });
    }
    let times: Vec<Duration> = numbers
        .split('/')
        .map(parse_duration)
        .collect::<Result<_, _>>()
        .map_err(|error| SpecError::Duration { rule: info.name, error })?;
    (info.make)(&times, &options).map_err(|misfit| match misfit {
        Misfit::Count => SpecError::NumberCount { rule: info.name, value: numbers.to_owned() },
        Misfit::ZeroPeriod => SpecError::ZeroPeriod { rule: info.name },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: &str = "bitfield-timeout=60s no-interest=10s health=30s/30s redundant=0s";

    fn after(specs: &[&str]) -> Result<String, String> {
        let mut selection = Selection::standard();
        for spec in specs {
            selection.apply(spec).map_err(|error| error.to_string())?;
        }
        Ok(selection.to_string())
    }

    #[test]
    fn the_standard_is_what_the_registry_tells() {
        assert_eq!(Selection::standard().to_string(), STANDARD);
        let told: Vec<String> = RULES
            .iter()
            .map(|info| {
                let numbers: Vec<&str> =
                    info.parameters.iter().map(|parameter| parameter.default).collect();
                format!("{}={}", info.name, numbers.join("/"))
            })
            .collect();
        assert_eq!(told.join(" "), STANDARD);
        assert_eq!(
            after(&told.iter().map(String::as_str).collect::<Vec<_>>()),
            Ok(STANDARD.into())
        );
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
        let shown = "bitfield-timeout=off no-interest=0s health=60s/500ms,one-sided redundant=off";
        assert_eq!(after(&specs), Ok(shown.into()));
    }

    #[test]
    fn what_is_shown_makes_the_same_selection() {
        let shown =
            after(&["health=45s/1.5s", "no-interest=2s,one-sided", "redundant=off"]).unwrap();
        assert_eq!(after(&shown.split(' ').collect::<Vec<_>>()), Ok(shown));
    }

    #[test]
    fn all_off_keeps_everybody() {
        let mut selection = Selection::standard();
        selection.apply("all=off").unwrap();
        assert!(selection.build().is_empty());
    }

    #[test]
    fn an_error_names_the_culprit_and_what_is_allowed() {
        for (spec, error) in [
            ("health", "\"health\" is not NAME=VALUE, such as bitfield-timeout=60s or all=off"),
            ("", "\"\" is not NAME=VALUE, such as bitfield-timeout=60s or all=off"),
            (
                "bitfeld-timeout=1s",
                "there is no rule \"bitfeld-timeout\"; the rules are bitfield-timeout, no-interest, health, redundant, all",
            ),
            ("all=60s", "all=60s makes no sense, only all=off does"),
            (
                "no-interest=on",
                "no-interest: \"on\" is not a duration such as 500ms, 60s, 1.5s, 2m or 1h; the rule is written \
                 no-interest=GRACE[,one-sided] or no-interest=off",
            ),
            (
                "redundant=0s,one-sided",
                "redundant has no option \"one-sided\"; the rule is written redundant=DELAY or redundant=off",
            ),
            (
                "health=30s",
                "health does not take \"30s\"; the rule is written health=PERIOD/GRACE[,one-sided] or health=off",
            ),
            (
                "bitfield-timeout=1s/2s",
                "bitfield-timeout does not take \"1s/2s\"; the rule is written bitfield-timeout=TIMEOUT or \
                 bitfield-timeout=off",
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
        assert_eq!(selection.to_string(), STANDARD);
    }
}
