use crate::{ByExchange, LikeLibtorrent, Ranking};

/// A choice of rules that go together.
#[derive(Debug)]
#[non_exhaustive]
pub struct PresetInfo {
    /// Its name, as in `preset=NAME`.
    pub name: &'static str,
    /// Whom it is for, on one line.
    pub summary: &'static str,
    /// Its rules and its turnover, as specifications; what is not named is off.
    pub specs: &'static [&'static str],
    /// What its turnover goes by.
    pub ranking: &'static dyn Ranking,
}

/// Every preset, in the order in which they are shown; the first is the default.
pub static PRESETS: &[PresetInfo] = &[
    PresetInfo {
        name: "standard",
        summary: "the founding rules with the guards that keep every peer of use; the default",
        specs: &[
            "bitfield-timeout=60s",
            "no-interest=10s",
            "health=30s/30s",
            "redundant=0s",
            "rejecter=50",
            "liar=7",
            "flood=on",
            "turnover=4%/90%/300s/400%",
        ],
        ranking: &ByExchange,
    },
    PresetInfo {
        name: "seed",
        summary: "the founding rules by the letter: what a peer takes from us does not keep it",
        specs: &[
            "bitfield-timeout=60s,literal",
            "no-interest=10s,literal",
            "health=30s/30s,literal",
            "redundant=0s",
        ],
        ranking: &ByExchange,
    },
    PresetInfo {
        name: "balanced",
        summary: "closes who never will be of use; the others only give way when slots are scarce",
        specs: &[
            "bitfield-timeout=60s,mute",
            "redundant=30s,uninteresting,pex",
            "no-mutual-interest=60s,growing,when-crowded",
            "takes-only=600s",
            "starved=180s/600s,when-crowded",
            "snubbed=120s,when-crowded",
            "rejecter=50",
            "waster=6,when-crowded",
            "no-request=60s,when-crowded",
            "liar=7",
            "flood=on",
            "turnover=4%/90%/300s/400%",
        ],
        ranking: &ByExchange,
    },
    PresetInfo {
        name: "strict",
        summary: "short waits, whether slots are scarce or not: for few slots and many peers",
        specs: &[
            "bitfield-timeout=30s",
            "redundant=2s,uninteresting",
            "no-mutual-interest=30s",
            "takes-only=60s",
            "starved=60s/180s",
            "snubbed=60s",
            "rejecter=20",
            "waster=6",
            "no-request=60s",
            "liar=3",
            "flood=on",
            "turnover=10%/80%/60s/200%",
        ],
        ranking: &ByExchange,
    },
    PresetInfo {
        name: "libtorrent",
        summary: "what libtorrent 2 does, with its defaults",
        specs: &[
            "redundant=0s,uninteresting",
            "no-mutual-interest=600s,near-limit",
            "no-request=60s",
            "liar=7",
            "turnover=4%/90%/300s/0%",
        ],
        ranking: &LikeLibtorrent,
    },
    PresetInfo {
        name: "transmission",
        summary: "what Transmission 4 does, with its defaults",
        specs: &["redundant=30s,pex", "idle=300s/60s", "liar=10"],
        ranking: &ByExchange,
    },
    PresetInfo {
        name: "aria2",
        summary: "what aria2 does, with its defaults",
        specs: &["redundant=0s", "inactive=30s/60s", "liar=1"],
        ranking: &ByExchange,
    },
    PresetInfo {
        name: "off",
        summary: "keeps everybody who keeps to the protocol",
        specs: &[],
        ranking: &ByExchange,
    },
];
