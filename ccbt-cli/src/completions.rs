//! `ccbt completions` and `ccbt man`: what a shell and a reader of manuals want, made from the definition
//! of the command line.

use std::path::Path;
use std::{fs, io};

use clap::{Command, CommandFactory};

use crate::args::{Cli, Completions, Man};
use crate::exit::{Exit, Failure};
use crate::print;

/// Prints the completions for a shell.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn run(asked: &Completions) -> Result<(), Failure> {
    let root = Cli::command();
    // Some shells are told of hidden commands, too.
    let mut shown = Command::new("ccbt")
        .version(env!("CARGO_PKG_VERSION"))
        .args(root.get_arguments())
        .subcommands(root.get_subcommands().filter(|command| !command.is_hide_set()));
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut shown, "ccbt", &mut script);
    print::text(&String::from_utf8_lossy(&script))
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
        let page = clap_mangen::Man::new(command.clone());
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
