//! `ccbt show`: what a torrent or a magnet link says.

mod about;
mod date;
pub(crate) mod fetch;
mod scrape;
mod text;
mod tree;

use crate::args::{Show, Torrent};
use crate::exit::{Exit, Failure};
use crate::get::torrent::{self, Lead};
use crate::print;
use crate::report::printable;
use crate::signals::Signals;
use crate::state::State;
use about::About;
use fetch::Patience;

/// Looks, asks swarm and trackers as far as that is wanted, and tells.
pub(crate) async fn run(args: &Show, signals: &mut Signals) -> Result<(), Failure> {
    let contact = &args.contact;
    let shelf = State::of_user(contact.no_state).metadata();
    let patience = Patience { wait: Some(args.wait), option: "--wait" };
    let mut silence = None;
    let mut about = match &args.torrent {
        // What the link says, and nothing else.
        Torrent::Magnet(magnet) if args.wait.is_zero() || magnet.info_hash.is_none() => {
            About::magnet(magnet)
        }
        from => {
            let binding = contact.binding()?;
            let lead = signals.guard(torrent::follow(&binding, from, &shelf)).await??;
            match (lead, from) {
                (Lead::Known(metainfo), Torrent::Magnet(magnet)) => About::known(magnet, &metainfo),
                (Lead::Known(metainfo), _) => About::torrent(&metainfo),
                (Lead::Unknown(magnet), _) => {
                    match fetch::metadata(contact, &magnet, patience, signals).await? {
                        Ok(metainfo) => About::known(&magnet, &metainfo),
                        Err(failure) => {
                            silence = Some(failure);
                            About::magnet(&magnet)
                        }
                    }
                }
            }
        }
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
        _ if silence.is_some() => silence.map_or(Ok(()), Err),
        Some(answers) if !answers.iter().any(scrape::Answer::is_count) => {
            let why =
                if answers.is_empty() { "has no tracker" } else { "no tracker could be scraped" };
            Err(Failure::new(Exit::Failed, format_args!("{}: {why}", about.title())))
        }
        _ => Ok(()),
    }
}
