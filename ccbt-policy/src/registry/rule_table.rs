use std::sync::Arc;

use super::info::{Misfit, OptionInfo, Parameter, ParameterKind, RuleInfo};
use super::number::Number::{Count, Time};
use crate::rules::{
    BitfieldTimeout, Flood, Health, Idle, Inactive, Liar, NoInterest, NoMutualInterest, NoRequest,
    Redundant, Rejecter, Snubbed, Starved, TakesOnly, Waster,
};

const fn wait(name: &'static str, default: &'static str, meaning: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Duration, default, meaning }
}

const fn count(name: &'static str, default: &'static str, meaning: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Count, default, meaning }
}

const fn percent(name: &'static str, default: &'static str, meaning: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Percent, default, meaning }
}

const ONE_SIDED: OptionInfo =
    OptionInfo { name: "one-sided", meaning: "whether the peer takes from us does not matter" };

const LITERAL: OptionInfo = OptionInfo {
    name: "literal",
    meaning: "neither that, nor whether it grows or is a new leecher",
};

const MUTE: OptionInfo = OptionInfo {
    name: "mute",
    meaning: "without the fast extension only those go that never say anything; the wait is longer",
};

const GROWING: OptionInfo = OptionInfo {
    name: "growing",
    meaning: "four times the grace since its last HAVE of a piece that was new for it",
};

const UNINTERESTING: OptionInfo = OptionInfo {
    name: "uninteresting",
    meaning: "while we download, upload-only peers that have nothing that we need go, too",
};

const PEX: OptionInfo = OptionInfo {
    name: "pex",
    meaning: "the delay is only for peers to exchange peers with, while slots are not scarce",
};

pub(super) const WHEN_CROWDED: OptionInfo = OptionInfo {
    name: "when-crowded",
    meaning: "closes nobody; while the swarm is crowded who would go may be taken for a newcomer",
};

pub(super) const NEAR_LIMIT: OptionInfo =
    OptionInfo { name: "near-limit", meaning: "only while at most five slots are free" };

/// The words that every rule takes behind its own options: when it acts.
pub static PRESSURES: &[OptionInfo] = &[WHEN_CROWDED, NEAR_LIMIT];

/// The numbers of `turnover=...`, which is no rule but says how many peers a
/// [`Ranking`](crate::Ranking) may displace; see [`Turnover`](crate::Turnover).
pub static TURNOVER_PARAMETERS: &[Parameter] = &[
    percent("share", "4%", "of the peers go at most in a turn, at least one"),
    percent("threshold", "90%", "of the slots must be taken"),
    wait("period", "300s", "between two turns"),
    percent("gain", "400%", "of a peer's worth must be promised to take its slot"),
];

/// Every rule that comes with the crate, in the order in which they are shown.
pub static RULES: &[RuleInfo] = &[
    RuleInfo {
        name: BitfieldTimeout::NAME,
        summary: "closes a peer that does not say what it has",
        parameters: &[wait("timeout", "60s", "wait after the handshake")],
        options: &[MUTE, LITERAL],
        source: "first of the three founding rules of ccbt; BEP 3, BEP 6",
        make: |numbers, options| match *numbers {
            [Time(timeout)] => {
                let rule = BitfieldTimeout::new(timeout);
                Ok(Arc::new(match () {
                    () if options.contains(&LITERAL.name) => rule.literal(),
                    () if options.contains(&MUTE.name) => rule.mute(),
                    () => rule,
                }))
            }
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: NoInterest::NAME,
        summary: "closes a peer that never had a piece that we need and takes nothing from us",
        parameters: &[wait("grace", "10s", "wait since it is useless")],
        options: &[ONE_SIDED, LITERAL],
        source: "second of the three founding rules of ccbt; BEP 3, BEP 11",
        make: |numbers, options| match *numbers {
            [Time(grace)] => {
                let rule = NoInterest::new(grace);
                Ok(Arc::new(match () {
                    () if options.contains(&LITERAL.name) => rule.literal(),
                    () if options.contains(&ONE_SIDED.name) => rule.one_sided(),
                    () => rule,
                }))
            }
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Health::NAME,
        summary: "closes a peer that has no piece that we still need and takes nothing from us",
        parameters: &[
            wait("period", "30s", "time between two checks of a peer, above zero"),
            wait("grace", "30s", "wait since it is useless, until the next check"),
        ],
        options: &[ONE_SIDED, LITERAL],
        source: "third of the three founding rules of ccbt",
        make: |numbers, options| match *numbers {
            [Time(period), Time(grace)] => {
                let rule = Health::new(period, grace).map_err(|_| Misfit::ZeroPeriod)?;
                Ok(Arc::new(match () {
                    () if options.contains(&LITERAL.name) => rule.literal(),
                    () if options.contains(&ONE_SIDED.name) => rule.one_sided(),
                    () => rule,
                }))
            }
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Redundant::NAME,
        summary: "when we are complete, closes a peer that downloads nothing either",
        parameters: &[wait("delay", "0s", "wait since both sides only upload")],
        options: &[UNINTERESTING, PEX],
        source: "common practice; BEP 21",
        make: |numbers, options| match *numbers {
            [Time(delay)] => {
                let rule = Redundant::new(delay);
                let wide = options.contains(&UNINTERESTING.name);
                let rule = if wide { rule.uninteresting() } else { rule };
                Ok(Arc::new(if options.contains(&PEX.name) { rule.pex() } else { rule }))
            }
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: NoMutualInterest::NAME,
        summary: "closes a peer when for long neither side was interested in the other",
        parameters: &[wait("grace", "60s", "wait since neither is interested")],
        options: &[GROWING],
        source: "libtorrent, inactivity_timeout; BEP 11",
        make: |numbers, options| match *numbers {
            [Time(grace)] => {
                let rule = NoMutualInterest::new(grace);
                let growing = options.contains(&GROWING.name);
                Ok(Arc::new(if growing { rule.growing() } else { rule }))
            }
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: TakesOnly::NAME,
        summary: "gives a newcomer the slot of a peer that takes from us and has nothing for us",
        parameters: &[wait("grace", "600s", "wait since it takes and has nothing")],
        options: &[],
        source: "the last resort of a full leecher",
        make: |numbers, _| match *numbers {
            [Time(grace)] => Ok(Arc::new(TakesOnly::new(grace))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Starved::NAME,
        summary: "closes a peer that has what we need and chokes us all the time",
        parameters: &[
            wait("never-served", "180s", "wait if it never gave us a block"),
            wait("served", "600s", "wait since its last block otherwise"),
        ],
        options: &[],
        source: "aria2 after 60 s, others by turnover",
        make: |numbers, _| match *numbers {
            [Time(never_served), Time(served)] => Ok(Arc::new(Starved::new(never_served, served))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Snubbed::NAME,
        summary: "closes a peer that has owed us requested blocks for long",
        parameters: &[wait("wait", "120s", "wait since it snubs us")],
        options: &[],
        source: "no other client; all of them ask a snubbing peer for less",
        make: |numbers, _| match *numbers {
            [Time(wait)] => Ok(Arc::new(Snubbed::new(wait))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Rejecter::NAME,
        summary: "closes a peer that rejects whatever we request though it does not choke us",
        parameters: &[count("rejects", "50", "rejected requests without a block in between")],
        options: &[],
        source: "libtorrent has the number, max_rejects, and no rule; BEP 6",
        make: |numbers, _| match *numbers {
            [Count(rejects)] => Ok(Arc::new(Rejecter::new(rejects))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Waster::NAME,
        summary: "closes a peer that sends more blocks that we have no use for than others",
        parameters: &[count("blocks", "6", "wasted blocks before it is judged")],
        options: &[],
        source: "anacrolix/torrent, when a connection is to be replaced",
        make: |numbers, _| match *numbers {
            [Count(blocks)] => Ok(Arc::new(Waster::new(blocks))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: NoRequest::NAME,
        summary: "when we are complete, closes an unchoked interested peer that requests nothing",
        parameters: &[wait("wait", "60s", "wait since it may request")],
        options: &[],
        source: "libtorrent",
        make: |numbers, _| match *numbers {
            [Time(wait)] => Ok(Arc::new(NoRequest::new(wait))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Idle::NAME,
        summary: "closes a peer with which no block was exchanged for long, the fuller the sooner",
        parameters: &[
            wait("empty", "300s", "wait while no slot is taken"),
            wait("full", "60s", "wait while 90 % of the slots are taken"),
        ],
        options: &[],
        source: "Transmission",
        make: |numbers, _| match *numbers {
            [Time(empty), Time(full)] => Ok(Arc::new(Idle::new(empty, full))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Inactive::NAME,
        summary: "closes a peer that neither requests nor sends a block, interested or not",
        parameters: &[
            wait("uninterested", "30s", "wait while neither side is interested"),
            wait("interested", "60s", "wait otherwise"),
        ],
        options: &[],
        source: "aria2",
        make: |numbers, _| match *numbers {
            [Time(uninterested), Time(interested)] => {
                Ok(Arc::new(Inactive::new(uninterested, interested)))
            }
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Liar::NAME,
        summary: "closes a peer that sent bad data, and leaves its address alone for a day",
        parameters: &[count("distrust", "7", "points of trust below zero; a proof needs none")],
        options: &[],
        source: "libtorrent, trust points and smart ban",
        make: |numbers, _| match *numbers {
            [Count(distrust)] => Ok(Arc::new(Liar::new(distrust))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Flood::NAME,
        summary: "closes a peer that sends more messages than makes sense",
        parameters: &[],
        options: &[],
        source: "aria2, libtorrent and anacrolix/torrent, each for messages of its own choice",
        make: |numbers, _| match *numbers {
            [] => Ok(Arc::new(Flood)),
            _ => Err(Misfit::Count),
        },
    },
];
