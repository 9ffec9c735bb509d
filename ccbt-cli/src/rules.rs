//! Who judges the peers: rules by name, rules of one's own, and all of them on trial if that is wanted.

use std::collections::BTreeMap;
use std::path::Path;

use ccbt_peer::SwarmBuilder;
use ccbt_peer::policy::registry::Selection;
use ccbt_peer::policy::script::Rules;
use ccbt_peer::policy::{DryRun, EvictionPolicy, PolicySet, Turnover};

use crate::args::Eviction;
use crate::bounded;
use crate::exit::{Exit, Failure};

/// Bytes of a file of rules that are looked at; how many may be used the rules know themselves.
const FILE: usize = 1 << 20;

/// The rules of all swarms of a command.
#[derive(Clone, Debug)]
pub(crate) struct Judges {
    selection: Selection,
    own: Vec<Rules>,
    dry_run: bool,
}

impl Judges {
    /// What the options make of the standard rules. With `dry_run` nobody is dropped.
    ///
    /// # Errors
    /// One of them is no rule, with its place; a file cannot be read; two rules have one name.
    pub(crate) fn of(args: &Eviction, dry_run: bool) -> Result<Self, Failure> {
        let mut selection = Selection::standard();
        for spec in &args.evict {
            selection
                .apply(spec)
                .map_err(Failure::of(Exit::Refused, format_args!("--evict {spec}")))?;
        }
        let mut own = vec![args.configured.clone()];
        for path in &args.evict_script {
            own.push(read(path)?);
        }
        distinct(&own, args)?;
        Ok(Self { selection, own, dry_run })
    }

    /// The swarm with these rules, and with what they say about peers that are all fair.
    pub(crate) fn judge(&self, swarm: SwarmBuilder) -> SwarmBuilder {
        let rules = self.own.iter().flat_map(Rules::iter).cloned();
        let set = rules.fold(self.selection.build(), PolicySet::with);
        let swarm = swarm.ranking(self.selection.ranking(), self.turnover());
        if self.dry_run { swarm.policy(DryRun::new(set)) } else { swarm.policy(set) }
    }

    /// How many fair peers may go for better ones. On trial nobody goes.
    fn turnover(&self) -> Turnover {
        let turnover = self.selection.turnover().filter(|_| !self.dry_run);
        turnover.unwrap_or(Turnover { share: 0, ..Turnover::default() })
    }

    /// What rules have failed on since this was last asked, each once.
    pub(crate) fn new_troubles(&self) -> impl Iterator<Item = String> {
        self.own.iter().flat_map(Rules::new_troubles).map(ToString::to_string)
    }
}

fn read(path: &Path) -> Result<Rules, Failure> {
    let file = path.display().to_string();
    let bytes = bounded::read(path, FILE, "file of rules");
    let text = bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| "not UTF-8"));
    let text = text
        .map_err(Failure::of(Exit::Refused, &file))?
        .map_err(Failure::of(Exit::Refused, &file))?;
    Rules::parse(&file, &text).map_err(|error| Failure::new(Exit::Refused, error))
}

/// Events tell rules apart by their names.
fn distinct(own: &[Rules], args: &Eviction) -> Result<(), Failure> {
    let files = args.evict_script.iter().map(|path| path.display().to_string());
    let files = ["the configuration file".to_owned()].into_iter().chain(files);
    let mut known = BTreeMap::new();
    for (file, rules) in files.zip(own) {
        for rule in rules.iter() {
            let name = rule.name();
            if let Some(other) = known.insert(name.to_owned(), file.clone()) {
                let problem = format!("{file}: there is a rule \"{name}\" already in {other}");
                return Err(Failure::new(Exit::Refused, problem));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judges(specs: &[&str], dry_run: bool) -> Judges {
        let evict = specs.iter().map(|&spec| spec.to_owned()).collect();
        let args = Eviction { evict, evict_script: Vec::new(), configured: Rules::default() };
        Judges::of(&args, dry_run).unwrap()
    }

    #[test]
    fn a_preset_brings_its_turnover_and_its_ranking() {
        let libtorrent = judges(&["preset=libtorrent"], false);
        assert_eq!(libtorrent.turnover().gain, 0);
        assert_eq!(libtorrent.selection.ranking().name(), "like-libtorrent");
        assert_eq!(judges(&[], false).turnover(), Turnover::default());
        let strict = judges(&["preset=strict", "turnover=7%/90%/60s/200%"], false);
        assert_eq!(strict.turnover().share, 7);
    }

    #[test]
    fn without_a_turnover_and_on_trial_no_fair_peer_goes() {
        assert_eq!(judges(&["preset=seed"], false).turnover().share, 0);
        assert_eq!(judges(&["all=off"], false).turnover().share, 0);
        assert_eq!(judges(&["turnover=on"], true).turnover().share, 0);
    }
}
