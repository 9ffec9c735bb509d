//! `ccbt completions` and `ccbt man`: what a shell and a reader of manuals want, made from the definition
//! of the command line.

use std::path::Path;
use std::{fs, io};

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::args::{Cli, Completions, Man};
use crate::exit::{Exit, Failure};
use crate::print;

/// What stands at the foot of a manual page.
const SOURCE: &str = concat!("ccbt ", env!("CARGO_PKG_VERSION"));

/// Prints the completions for a shell.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn run(asked: &Completions) -> Result<(), Failure> {
    print::text(&script(asked.shell))
}

fn script(shell: Shell) -> String {
    let root = Cli::command();
    // Some shells are told of hidden commands, too.
    let mut shown = Command::new("ccbt")
        .version(env!("CARGO_PKG_VERSION"))
        .args(root.get_arguments())
        .subcommands(root.get_subcommands().filter(|command| !command.is_hide_set()));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown, "ccbt", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes a manual page for each command into a folder.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn manual(asked: &Man) -> Result<(), Failure> {
    write_pages(&asked.folder).map_err(Failure::of(Exit::Disk, asked.folder.display()))
}

fn write_pages(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let commands = root.get_subcommands().filter(|command| !command.is_hide_set());
    for command in commands.chain([&root]) {
        let page = clap_mangen::Man::new(command.clone()).source(SOURCE).manual("ccbt");
        let mut text = Vec::new();
        page.render(&mut text)?;
        let text = unfilled(&String::from_utf8_lossy(&text));
        fs::write(folder.join(page.get_filename()), text)?;
    }
    Ok(())
}

/// Keeps the lines of examples and tables below the options as they are.
fn unfilled(page: &str) -> String {
    page.replacen(".SH EXTRA\n", ".SH NOTES\n.nf\n", 1).replacen(
        ".SH VERSION\n",
        ".fi\n.SH VERSION\n",
        1,
    )
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    /// The options of every command that is shown: the command's name, the long name, the first words
    /// of the help.
    fn options() -> Vec<(String, String, String)> {
        let mut root = Cli::command();
        root.build();
        let shown = root.get_subcommands().filter(|command| !command.is_hide_set());
        let options = shown.flat_map(|command| {
            let all = command.get_arguments().filter_map(|arg| {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                Some((command.get_name().to_owned(), arg.get_long()?.to_owned(), help))
            });
            all.collect::<Vec<_>>()
        });
        options.collect()
    }

    #[test]
    fn every_shell_completes_every_option() {
        let options = options();
        assert!(options.len() > 50, "{options:?}");
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for (command, option, _) in &options {
                assert!(script.contains(option), "{shell}: {command} --{option}");
            }
        }
    }

    #[test]
    fn every_option_has_its_words_in_the_manual() {
        let folder = tempfile::tempdir().unwrap();
        write_pages(folder.path()).unwrap();
        for (command, option, help) in options() {
            let page = fs::read_to_string(folder.path().join(format!("ccbt-{command}.1")));
            // A backslash only tells roff what a dash is.
            let page = page.unwrap_or_default().replace("\\*(Aq", "'").replace('\\', "");
            assert!(!help.is_empty(), "{command} --{option}");
            let mut entries = page.split(".TP\n").skip(1);
            let entry = entries.find(|entry| entry.contains(&format!("--{option}f")));
            let first: String = help.chars().take_while(|c| *c != '\n').take(40).collect();
            assert!(
                entry.is_some_and(|entry| entry.contains(first.trim_end())),
                "{command} --{option}: {first}"
            );
        }
    }
}
