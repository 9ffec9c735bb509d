//! From the network options to a swarm: rules, sources, and who listens.

use ccbt_peer::policy::PolicySet;
use ccbt_peer::policy::registry::Selection;
use ccbt_peer::source::{Given, TrackerTiers};
use ccbt_peer::wire::Metainfo;
use ccbt_peer::{Limits, Swarm, SwarmBuilder};

use crate::args::Network;
use crate::exit::{Exit, Failure};
use crate::report::Report;

impl Network {
    /// The rules that `--evict` leaves.
    ///
    /// # Errors
    /// One of them is no rule.
    pub(crate) fn policies(&self) -> Result<PolicySet, Failure> {
        let mut selection = Selection::standard();
        for spec in &self.evict {
            selection
                .apply(spec)
                .map_err(Failure::of(Exit::Refused, format_args!("--evict {spec}")))?;
        }
        Ok(selection.build())
    }

    /// The limits of all swarms of the command together.
    pub(crate) fn limits(&self) -> Limits {
        let limits = Limits::none();
        limits.set_down(self.limit_down.0);
        limits.set_up(self.limit_up.0);
        limits
    }

    /// A swarm to be, with its rules, limits and sources; where it listens is left to the caller.
    ///
    /// # Errors
    /// As [`policies`](Self::policies).
    pub(crate) fn swarm(
        &self,
        metainfo: &Metainfo,
        limits: &Limits,
        report: &mut Report,
    ) -> Result<SwarmBuilder, Failure> {
        let policies = self.policies()?;
        let mut swarm = Swarm::builder(metainfo.clone())
            .policy(policies)
            .max_peers(self.max_peers)
            .limits(limits);
        if let Some(trackers) = self.trackers(metainfo, report) {
            swarm = swarm.source(trackers);
        }
        if !self.peers.is_empty() {
            swarm = swarm.source(Given::hosts(self.peers.clone()));
        }
        Ok(swarm)
    }

    /// The torrent's trackers that we may and can ask.
    fn trackers(&self, metainfo: &Metainfo, report: &mut Report) -> Option<TrackerTiers> {
        let tiers = if self.no_tracker { &[] } else { metainfo.trackers() };
        let trackers = TrackerTiers::new(tiers);
        if let [(url, error), others @ ..] = trackers.skipped() {
            let others = match others.len() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            report.note(&format!("{url}{others} not asked: {error}"));
        }
        if trackers.is_empty() && self.peers.is_empty() {
            report.once("no tracker to ask and no --peer: waiting for peers that find us");
        }
        Some(trackers).filter(|trackers| !trackers.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::{Cli, Command};

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
