//! Options from the environment: `CCBT_`, the command and the option in capitals, such as
//! `CCBT_GET_MAX_PEERS`.

use super::Environment;
use super::layers::Setting;
use super::options::{Choice, Kind, Options};

/// What the environment sets of these options; an empty variable counts as none.
///
/// # Errors
/// A variable that cannot be used, with its name.
pub(super) fn settings<'a>(
    options: &'a Options,
    environment: Environment<'_>,
) -> Result<Vec<Setting<'a>>, String> {
    let mut found = Vec::new();
    for option in options.all() {
        let place = variable(options.command(), option);
        let Some(value) = environment(&place).filter(|value| !value.is_empty()) else { continue };
        let value = value.into_string().map_err(|_| format!("{place}: not UTF-8"))?;
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

fn variable(command: &str, option: Choice<'_>) -> String {
    format!("CCBT_{command}_{}", option.name()).to_uppercase().replace('-', "_")
}
