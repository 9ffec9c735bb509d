//! Who has the say about an option: the first layer that sets it, or another that excludes it.

use std::ffi::OsString;

use clap::Id;

use super::options::{Choice, Options};

/// An option that stands on the command line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    pub(super) id: &'a Id,
    /// False for a switch that is switched off.
    pub(super) on: bool,
}

/// An option that is set elsewhere.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    pub(super) option: Choice<'a>,
    /// For messages: where it is set.
    pub(super) place: String,
    /// What it is on a command line: nothing for a switch that is off.
    pub(super) arguments: Vec<OsString>,
}

/// The arguments to add to what is given; the layers with the most say first.
///
/// # Errors
/// One layer sets two options that exclude each other.
pub(super) fn join<'a>(
    options: &'a Options,
    given: Vec<Given<'a>>,
    layers: [Vec<Setting<'a>>; 2],
) -> Result<Vec<OsString>, String> {
    let (mut taken, mut arguments) = (given, Vec::new());
    for layer in layers {
        let above = taken.len();
        for setting in layer {
            let (id, on) = (setting.option.id(), !setting.arguments.is_empty());
            let excluded = |other: &&Given<'_>| on && other.on && options.exclude(id, other.id);
            let is_set = taken.iter().any(|other| other.id == id);
            if is_set || taken[..above].iter().any(|other| excluded(&other)) {
                continue;
            }
            if let Some(other) = taken[above..].iter().find(excluded) {
                let other = options.all().find(|option| option.id() == other.id);
                let other = other.map_or("another option", Choice::name);
                return Err(format!("{}: cannot be used with {other}", setting.place));
            }
            taken.push(Given { id, on });
            arguments.extend(setting.arguments);
        }
    }
    Ok(arguments)
}
