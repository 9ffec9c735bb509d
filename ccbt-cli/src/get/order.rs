//! What a person has asked for, each torrent once.

use ccbt_peer::wire::magnet::FileSelection;
use ccbt_peer::wire::{InfoHash, Magnet};

use super::torrent::{self, Lead};
use crate::args::Torrent;
use crate::network::Beside;

/// A torrent, and what the words for it say beside.
pub(super) struct Order {
    pub(super) lead: Lead,
    /// What others of the same torrent name; of a link, its peers.
    pub(super) beside: Beside,
    /// Files that the links ask for; `None` are all.
    pub(super) only: Option<FileSelection>,
}

impl Order {
    pub(super) fn new(lead: Lead, from: &Torrent) -> Self {
        let beside = Beside { peers: torrent::peers(from), ..Beside::default() };
        Self { lead, beside, only: torrent::only(from).cloned() }
    }

    /// What a person would call it.
    pub(super) fn title(&self) -> String {
        match &self.lead {
            Lead::Known(metainfo) => metainfo.name().to_owned(),
            Lead::Unknown(magnet) => torrent::title(magnet),
        }
    }

    fn info_hash(&self) -> Option<InfoHash> {
        match &self.lead {
            Lead::Known(metainfo) => Some(metainfo.info_hash()),
            Lead::Unknown(magnet) => magnet.info_hash,
        }
    }

    /// Whether both are for the same torrent.
    pub(super) fn is_for_the_same(&self, other: &Self) -> bool {
        self.info_hash() == other.info_hash()
    }

    /// Both in one: what one of them knows, and all that both ask for.
    pub(super) fn and(self, other: Self) -> Self {
        let only = self.only.filter(|one| other.only.as_ref() == Some(one));
        let mut beside = self.beside;
        add(&mut beside.peers, other.beside.peers);
        add(&mut beside.trackers, other.beside.trackers);
        add(&mut beside.web_seeds, other.beside.web_seeds);
        let lead = match (self.lead, other.lead) {
            (Lead::Unknown(one), Lead::Unknown(other)) => Lead::Unknown(both(*one, *other)),
            (Lead::Unknown(magnet), known) | (known, Lead::Unknown(magnet)) => {
                add(&mut beside.trackers, magnet.trackers);
                add(&mut beside.web_seeds, magnet.web_seeds);
                known
            }
            (Lead::Known(one), Lead::Known(other)) => {
                add(&mut beside.trackers, other.trackers().concat());
                add(&mut beside.web_seeds, other.url_list().to_vec());
                Lead::Known(one)
            }
        };
        Self { lead, beside, only }
    }
}

fn both(mut one: Magnet, other: Magnet) -> Box<Magnet> {
    one.name = one.name.or(other.name);
    add(&mut one.trackers, other.trackers);
    add(&mut one.web_seeds, other.web_seeds);
    add(&mut one.peers, other.peers);
    Box::new(one)
}

fn add<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use ccbt_peer::wire::Metainfo;
    use ccbt_peer::wire::metainfo::build;

    use super::*;

    fn link(more: &str) -> Order {
        let hash = metainfo().info_hash();
        let magnet: Magnet = format!("magnet:?xt=urn:btih:{hash}{more}").parse().unwrap();
        let from = Torrent::Magnet(Box::new(magnet.clone()));
        Order::new(Lead::Unknown(Box::new(magnet)), &from)
    }

    fn metainfo() -> Metainfo {
        Metainfo::parse(&build::single_file("a", 16_384, b"x", None)).unwrap()
    }

    fn file() -> Order {
        Order::new(Lead::Known(metainfo()), &Torrent::File("a.torrent".into()))
    }

    #[test]
    fn a_link_and_a_torrent_are_one_with_the_peers_of_both_and_all_files() {
        let link = || link("&x.pe=192.0.2.1:1&so=0");
        assert!(link().is_for_the_same(&file()));
        for both in [link().and(file()), file().and(link())] {
            assert!(matches!(both.lead, Lead::Known(_)));
            assert_eq!(both.beside.peers, ["192.0.2.1:1"]);
            assert_eq!(both.only, None);
        }
    }

    #[test]
    fn what_the_second_names_is_asked_beside_what_the_first_does() {
        let link = || link("&tr=http://a/&ws=http://b/c");
        let bytes = build::single_file("a", 16_384, b"x", Some("http://d/"));
        let other = Metainfo::parse(&bytes).unwrap();
        let other = Order::new(Lead::Known(other), &Torrent::File("b.torrent".into()));
        for both in [link().and(file()), file().and(link())] {
            assert_eq!(both.beside.trackers, ["http://a/"]);
            assert_eq!(both.beside.web_seeds, ["http://b/c"]);
        }
        let all = file().and(other).and(link());
        assert_eq!(all.beside.trackers, ["http://d/", "http://a/"]);
        assert_eq!(all.beside.web_seeds, ["http://b/c"]);
    }

    #[test]
    fn two_links_are_one_that_knows_what_both_know() {
        let both = link("&tr=http://a/&so=0").and(link("&tr=http://a/&tr=http://b/&dn=x&so=0"));
        assert!(both.only.is_some());
        assert_eq!(both.title(), "x");
        let Lead::Unknown(magnet) = both.lead else { unreachable!("nothing is known") };
        assert_eq!(magnet.trackers, ["http://a/", "http://b/"]);
    }
}
