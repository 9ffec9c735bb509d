//! `ccbt show`: what a torrent or a magnet link says.

mod about;
mod date;
mod scrape;
mod text;
mod tree;

use crate::args::{Show, Subject};
use crate::exit::{Exit, Failure};
use crate::get::torrent;
use crate::print;
use crate::report::printable;
use crate::signals::Signals;
use about::About;

/// Looks, asks the trackers if that is wanted, and tells.
pub(crate) async fn run(args: &Show, signals: &mut Signals) -> Result<(), Failure> {
    let mut about = match &args.subject {
        Subject::Torrent(from) => {
            let metainfo = signals.guard(torrent::load(from)).await??;
            About::torrent(&metainfo)
        }
        Subject::Magnet(magnet) => About::magnet(magnet),
    };
    if args.scrape {
        about.scrape = Some(signals.guard(scrape::ask(&about)).await?);
    }
    if args.json {
        print::json(&about)?;
    } else {
        let lines = text::lines(&about);
        let lines = lines.iter().flat_map(|line| [printable(line), "\n".to_owned()]);
        print::text(&lines.collect::<String>())?;
    }
    match &about.scrape {
        Some(answers) if !answers.iter().any(scrape::Answer::is_count) => {
            let why =
                if answers.is_empty() { "has no tracker" } else { "no tracker could be scraped" };
            Err(Failure::new(Exit::Failed, format_args!("{}: {why}", about.title())))
        }
        _ => Ok(()),
    }
}
