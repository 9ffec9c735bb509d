//! Options from the environment: `CCBT_`, the command and the option in capitals, such as
//! `CCBT_GET_MAX_PEERS`.

use super::Environment;
use super::file::did_you_mean;
use super::layers::Setting;
use super::options::{Choice, Kind, Options};

/// What the environment sets of these options; an empty variable counts as none.
///
/// # Errors
/// A variable that cannot be used, with its name; one that is named as if it were an option of the command.
pub(super) fn settings<'a>(
    options: &'a Options,
    environment: Environment<'_>,
) -> Result<Vec<Setting<'a>>, String> {
    refuse_unknown(options, environment)?;
    let mut found = Vec::new();
    for option in options.all() {
        let place = variable(options.command(), option);
        let value = environment.get(&place).filter(|value| !value.is_empty());
        let Some(value) = value else { continue };
        let value = value.clone().into_string().map_err(|_| format!("{place}: not UTF-8"))?;
        let arguments = match option.kind() {
            Kind::Switch => match value.as_str() {
                "true" | "1" => vec![format!("--{}", option.name()).into()],
                "false" | "0" => Vec::new(),
                _ => return Err(format!("{place}: {value}: expected true or false")),
            },
            Kind::One => vec![option.argument(&value)],
            Kind::Many => {
                let lines = value.lines().filter(|line| !line.is_empty());
                lines.map(|line| option.argument(line)).collect()
            }
        };
        for argument in &arguments {
            options.check(argument).map_err(|error| format!("{place}: {error}"))?;
        }
        found.push(Setting { option, place, arguments });
    }
    Ok(found)
}

fn refuse_unknown(options: &Options, environment: Environment<'_>) -> Result<(), String> {
    let prefix = format!("CCBT_{}_", options.command().to_uppercase());
    let set = environment.iter().filter(|(_, value)| !value.is_empty());
    for (place, _) in set {
        let Some(rest) = place.strip_prefix(&prefix) else { continue };
        let is_known = |option| variable(options.command(), option) == *place;
        if !options.all().any(is_known) {
            let name = rest.to_lowercase().replace('_', "-");
            let like = did_you_mean(&name, options.all().map(Choice::name));
            return Err(format!("{place}: unknown option{like}"));
        }
    }
    Ok(())
}

fn variable(command: &str, option: Choice<'_>) -> String {
    format!("CCBT_{command}_{}", option.name()).to_uppercase().replace('-', "_")
}
