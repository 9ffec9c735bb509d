//! From the network options to swarms: rules, lists, sources, limits, and what earlier runs have learnt.

mod dht;

use std::path::Path;
use std::sync::Arc;

use ccbt_peer::source::dht::Dht;
use ccbt_peer::source::nat::PortMapper;
use ccbt_peer::source::{Given, TrackerTiers};
use ccbt_peer::store::StoreError;
use ccbt_peer::wire::{InfoHash, Magnet, Metainfo};
use ccbt_peer::{
    Binding, Blocklist, Budget, Descriptors, Limits, LocalDiscovery, Opened, Swarm, SwarmBuilder,
};

use crate::args::{Contact, Eviction, Network};
use crate::bounded;
use crate::exit::{Exit, Failure};
use crate::report::{Report, units};
use crate::rules::Judges;
use crate::state::{Memory, Shelf, State};
use dht::DhtNode;

/// Bytes of a blocklist: the largest that people share have a tenth of it.
const BLOCKLIST: usize = 256 << 20;

/// What the network options come to, for all torrents of a command.
#[derive(Debug)]
pub(crate) struct Setup<'a> {
    contact: &'a Contact,
    pub(crate) judges: Judges,
    blocklist: Arc<Blocklist>,
    limits: Limits,
    state: State,
    local: LocalDiscovery,
    dht: Option<DhtNode>,
    mapper: Option<PortMapper>,
    binding: Binding,
    budget: Option<Budget>,
    /// Files of each torrent that may be open at once, if there is a limit.
    pub(crate) open_files: Option<usize>,
    /// Web seeds show how a torrent can be had, and nothing of its swarm.
    uses_web_seeds: bool,
}

impl Network {
    /// Reads what the options name, so that what cannot be used is told before anything is done. It is for so many
    /// torrents.
    ///
    /// # Errors
    /// A rule that is none, a list or file of rules that cannot be used, or fewer connections than torrents.
    pub(crate) fn prepare(
        &self,
        torrents: usize,
        report: &mut Report,
    ) -> Result<Setup<'_>, Failure> {
        let judges = Judges::of(&self.eviction, self.evict_dry_run)?;
        let mut setup = Setup::new(&self.contact, judges, self.limits(), report)?;
        let descriptors = Descriptors::of_process(torrents);
        setup.budget = Some(self.budget(torrents, descriptors)?);
        setup.open_files = descriptors.map(|descriptors| descriptors.files);
        let dht_port = setup.dht.as_ref().and_then(DhtNode::port);
        setup.mapper = self.map_port.then(|| PortMapper::new(dht_port));
        Ok(setup)
    }

    /// The connections of all swarms of the command together.
    fn budget(&self, torrents: usize, descriptors: Option<Descriptors>) -> Result<Budget, Failure> {
        let possible = descriptors.map_or(u32::MAX, |descriptors| descriptors.connections);
        let wanted = self.max_connections.unwrap_or(possible);
        let connections = wanted.min(possible);
        if connections as usize >= torrents {
            return Ok(Budget::new(connections, self.max_half_open));
        }
        let bound = if wanted <= possible && self.max_connections.is_some() {
            format!("--max-connections {wanted}")
        } else {
            format!("{connections} connections are all that the limit of descriptors allows")
        };
        let problem =
            format!("{bound}: too few for {torrents} torrents, one for each is the least");
        Err(Failure::new(Exit::Refused, problem))
    }

    /// The limits of all swarms of the command together.
    fn limits(&self) -> Limits {
        let limits = Limits::none();
        limits.set_down(self.limit_down.0);
        limits.set_up(self.limit_up.0);
        limits
    }
}

impl<'a> Setup<'a> {
    /// For a look at a swarm: the rules drop nobody, and web seeds are left out.
    ///
    /// # Errors
    /// As [`Network::prepare`].
    pub(crate) fn to_look(
        contact: &'a Contact,
        eviction: &Eviction,
        report: &mut Report,
    ) -> Result<Self, Failure> {
        let setup = Self::new(contact, Judges::of(eviction, true)?, Limits::none(), report)?;
        Ok(Self { uses_web_seeds: false, ..setup })
    }

    fn new(
        contact: &'a Contact,
        judges: Judges,
        limits: Limits,
        report: &mut Report,
    ) -> Result<Self, Failure> {
        let blocklist = match &contact.blocklist {
            Some(path) => {
                let list = read_blocklist(path)?;
                let ranges = units::count(list.len(), "range", "ranges");
                report.note(&format!("{}: {ranges} of addresses blocked", path.display()));
                Arc::new(list)
            }
            None => Arc::default(),
        };
        let state = State::of_user(contact.no_state);
        let binding = contact.binding()?;
        let dht = DhtNode::start(contact, &binding, &state, report);
        let local = LocalDiscovery::over(&binding);
        Ok(Self {
            contact,
            judges,
            blocklist,
            limits,
            state,
            local,
            dht,
            mapper: None,
            binding,
            budget: None,
            open_files: None,
            uses_web_seeds: !contact.no_web_seed,
        })
    }

    /// The node of the DHT, if there is one.
    pub(crate) fn dht(&self) -> Option<Dht> {
        self.dht.as_ref().map(DhtNode::dht)
    }

    /// Which way all sockets take.
    pub(crate) fn binding(&self) -> &Binding {
        &self.binding
    }

    /// A swarm to be, with its rules, limits, sources and memory; where it listens is left to the caller.
    /// What is named beside the torrent adds to what it names itself; of trackers and web seeds a private one hears
    /// from itself alone (BEP 27).
    pub(crate) fn swarm(
        &self,
        metainfo: &Metainfo,
        beside: Beside,
        report: &mut Report,
    ) -> (SwarmBuilder, Memory) {
        let swarm = Swarm::builder(metainfo.clone());
        let mut aim = Aim {
            info_hash: metainfo.info_hash(),
            trackers: metainfo.trackers().to_vec(),
            web_seeds: metainfo.url_list().to_vec(),
            private: metainfo.is_private(),
            peers: beside.peers,
        };
        if !aim.private {
            for url in beside.trackers {
                if !aim.trackers.iter().flatten().any(|known| *known == url) {
                    aim.trackers.push(vec![url]);
                }
            }
            aim.web_seeds.extend(beside.web_seeds);
        }
        self.equip(swarm, aim, report)
    }

    /// The same for a magnet link of which nothing more is known. `open` gives the store once it is.
    pub(crate) fn magnet<O: Into<Opened>>(
        &self,
        magnet: &Magnet,
        open: impl FnOnce(&Metainfo) -> Result<O, StoreError> + Send + 'static,
        report: &mut Report,
    ) -> (SwarmBuilder, Memory) {
        let aim = Aim {
            // Without an info hash the swarm does not start.
            info_hash: magnet.info_hash.unwrap_or(InfoHash([0; 20])),
            trackers: magnet.trackers.iter().map(|url| vec![url.clone()]).collect(),
            web_seeds: magnet.web_seeds.clone(),
            // If it is, the swarm stops what is not allowed as soon as that is known.
            private: false,
            peers: magnet.peers.iter().map(ToString::to_string).collect(),
        };
        self.equip(Swarm::magnet(magnet.clone(), open), aim, report)
    }

    /// What earlier runs have learnt of magnet links.
    pub(crate) fn shelf(&self) -> Shelf {
        self.state.metadata()
    }

    fn equip(
        &self,
        swarm: SwarmBuilder,
        mut aim: Aim,
        report: &mut Report,
    ) -> (SwarmBuilder, Memory) {
        let memory = self.state.memory(aim.info_hash);
        aim.peers.extend_from_slice(&self.contact.peers);
        let (addresses, trouble) = memory.recall();
        if let Some(trouble) = trouble {
            report.once(&trouble);
        }
        let web_seeds: &[String] = if self.uses_web_seeds { &aim.web_seeds } else { &[] };
        let mut swarm = self
            .judges
            .judge(swarm)
            .max_peers(self.contact.max_peers)
            .pex(!self.contact.off.no_pex)
            .limits(&self.limits)
            .binding(&self.binding)
            .blocklist(Arc::clone(&self.blocklist))
            .addresses(addresses)
            .web_seeds(web_seeds);
        if let Some(budget) = &self.budget {
            swarm = swarm.budget(budget);
        }
        let dht = self.dht.as_ref().filter(|_| !aim.private);
        let asks_others = dht.is_some() || !web_seeds.is_empty();
        if let Some(trackers) = self.contact.trackers(&aim, asks_others, report) {
            swarm = swarm.source(trackers);
        }
        if let Some(dht) = dht {
            swarm = swarm.dht(&dht.dht());
        }
        if let Some(mapper) = &self.mapper {
            swarm = swarm.source(mapper.source());
        }
        if self.contact.uses_lsd(aim.private) {
            swarm = swarm.source(self.local.source());
        }
        if !aim.peers.is_empty() {
            swarm = swarm.source(Given::hosts(aim.peers));
        }
        let swarm = self.contact.pin.iter().fold(swarm, |swarm, host| swarm.pin(*host));
        (swarm, memory)
    }
}

/// Whom to ask for a torrent beside those that it names itself.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// As `HOST:PORT`.
    pub(crate) peers: Vec<String>,
    pub(crate) trackers: Vec<String>,
    pub(crate) web_seeds: Vec<String>,
}

/// What is known of a torrent that tells whom to ask.
struct Aim {
    info_hash: InfoHash,
    trackers: Vec<Vec<String>>,
    web_seeds: Vec<String>,
    private: bool,
    /// As `HOST:PORT`.
    peers: Vec<String>,
}

fn read_blocklist(path: &Path) -> Result<Blocklist, Failure> {
    let refused = || path.display().to_string();
    let bytes = bounded::read(path, BLOCKLIST, "blocklist")
        .map_err(Failure::of(Exit::Refused, refused()))?;
    Blocklist::parse(&bytes).map_err(Failure::of(Exit::Refused, refused()))
}

impl Contact {
    /// Whether peers in the local network are looked for.
    fn uses_lsd(&self, private: bool) -> bool {
        !self.no_lsd && !private
    }

    /// Which way our sockets take: that of the interface, or of the address where we listen.
    ///
    /// # Errors
    /// If there is no such interface, or the system does not let us use it.
    pub(crate) fn binding(&self) -> Result<Binding, Failure> {
        match &self.interface {
            Some(name) => {
                Binding::interface(name).map_err(Failure::of(Exit::Refused, "--interface"))
            }
            None => Ok(Binding::address(self.listen.ip())),
        }
    }

    /// The torrent's trackers that we may and can ask.
    fn trackers(&self, aim: &Aim, asks_others: bool, report: &mut Report) -> Option<TrackerTiers> {
        let tiers: &[Vec<String>] = if self.no_tracker { &[] } else { &aim.trackers };
        let trackers = TrackerTiers::new(tiers);
        if let [(url, error), others @ ..] = trackers.skipped() {
            let others = match others.len() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            report.note(&format!("{url}{others} not asked: {error}"));
        }
        if trackers.is_empty() && !asks_others && aim.peers.is_empty() {
            report.once(if self.uses_lsd(aim.private) {
                "no tracker to ask and no --peer: looking in the local network alone"
            } else {
                "no tracker to ask and no --peer: waiting for peers that find us"
            });
        }
        Some(trackers).filter(|trackers| !trackers.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use ccbt_peer::wire::Metainfo;
    use ccbt_peer::wire::metainfo::build;
    use clap::Parser;

    use super::Descriptors;
    use crate::args::{Cli, Command};

    #[test]
    fn the_local_network_is_searched_unless_that_is_unwanted_or_the_torrent_private() {
        for (options, private, is_used) in
            [(&[][..], false, true), (&["--no-lsd"], false, false), (&[], true, false)]
        {
            let torrent = build::Builder::single("a", 16_384, 1).pieces([[0; 20]]);
            let metainfo = Metainfo::parse(&torrent.private(private).encode()).unwrap();
            let line = [&["ccbt", "get", "a.torrent"], options].concat();
            let Command::Get(get) = Cli::try_parse_from(line).unwrap().command else {
                unreachable!("the command is get");
            };
            assert_eq!(
                get.network.contact.uses_lsd(metainfo.is_private()),
                is_used,
                "{options:?} {private}"
            );
        }
    }

    #[test]
    fn connections_are_as_many_as_the_person_says_and_the_system_allows() {
        let possible = |connections| Some(Descriptors { connections, files: 64 });
        for (options, torrents, possible, connections) in [
            (&[][..], 3, possible(700), Some(700)),
            (&[], 3, None, Some(u32::MAX)),
            (&["--max-connections", "50"], 3, possible(700), Some(50)),
            (&["--max-connections", "900"], 3, possible(700), Some(700)),
            (&["--max-connections", "2"], 3, possible(700), None),
        ] {
            let line = [&["ccbt", "get", "a.torrent"], options].concat();
            let Command::Get(get) = Cli::try_parse_from(line).unwrap().command else {
                unreachable!("the command is get");
            };
            let budget = get.network.budget(torrents, possible);
            assert_eq!(budget.ok().map(|budget| budget.connections()), connections, "{options:?}");
        }
    }

    #[test]
    fn limits_are_those_of_the_command_line_and_off_without() {
        for (options, down, up) in [
            (&[][..], None, None),
            (&["--limit-down", "5K"], Some(5 << 10), None),
            (&["--limit-up=2MB/s", "--limit-down", "off"], None, Some(2_000_000)),
        ] {
            let line = [&["ccbt", "get", "a.torrent"], options].concat();
            let Command::Get(get) = Cli::try_parse_from(line).unwrap().command else {
                unreachable!("the command is get");
            };
            let limits = get.network.limits();
            assert_eq!((limits.down(), limits.up()), (down, up), "{options:?}");
        }
    }
}
