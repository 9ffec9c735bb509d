use std::time::Duration;

use super::{DurationError, Parameter, ParameterKind, SpecError, parse_duration};

/// A number of a specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Time(Duration),
    Count(u32),
    Percent(u32),
}

/// Reads `text`, numbers joined by `/`, as the `parameters` of `rule` ask for it.
pub(super) fn parse_numbers(
    rule: &'static str,
    parameters: &[Parameter],
    text: &str,
) -> Result<Vec<Number>, SpecError> {
    let texts: Vec<&str> = text.split('/').collect();
    if texts.len() != parameters.len() {
        return Err(SpecError::NumberCount { rule, value: text.to_owned() });
    }
    texts
        .into_iter()
        .zip(parameters)
        .map(|(text, parameter)| {
            let not_a_number = || SpecError::NotANumber {
                rule,
                text: text.to_owned(),
                parameter: parameter.name,
                kind: parameter.kind,
            };
            match parameter.kind {
                ParameterKind::Duration => parse_duration(text)
                    .map(Number::Time)
                    .map_err(|error: DurationError| SpecError::Duration { rule, error }),
                ParameterKind::Count => {
                    whole(text).filter(|&n| n > 0).map(Number::Count).ok_or_else(not_a_number)
                }
                ParameterKind::Percent => text
                    .strip_suffix('%')
                    .and_then(whole)
                    .map(Number::Percent)
                    .ok_or_else(not_a_number),
            }
        })
        .collect()
}

/// Digits alone: no sign.
fn whole(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
