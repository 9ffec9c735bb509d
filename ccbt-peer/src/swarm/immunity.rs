//! Who keeps its slot whatever the rules say, and the facts for that which only the swarm knows.

use ccbt_policy::{Availability, PeerView, Time};
use ccbt_wire::Bitfield;

use super::{PeerKey, SwarmCore};

impl SwarmCore {
    /// Whether nobody may take the slot of this peer: it has none, or is immune to why it is spare.
    pub(super) fn is_immune(&self, now: Time, key: PeerKey, view: &PeerView) -> bool {
        let reason = self.watch.spare(key).map(|spare| spare.reason);
        !self.has_slot(key) || view.is_immune(now, reason)
    }

    /// Brings up to date who alone has a piece that we need.
    pub(super) fn find_sole_holders(&mut self) {
        let rare = self.pieces_of_one();
        let has_all = |view: &PeerView| view.availability == Availability::All;
        let seeds = self.watch.iter().filter(|(_, view)| has_all(view)).count();
        let soles: Vec<(PeerKey, bool)> = (self.watch.iter())
            .map(|(key, view)| {
                let bits = self.peers.get(key).and_then(|peer| peer.bits.as_ref());
                let sole = match (seeds, bits) {
                    (0, Some(bits)) => rare.count_and_not(bits) < rare.count_ones(),
                    (1, _) => has_all(view) && self.has_pieces_of_none(),
                    _ => false,
                };
                (key, sole)
            })
            .filter(|(key, sole)| self.watch.get(*key).is_some_and(|v| v.sole_holder != *sole))
            .collect();
        for (key, sole) in soles {
            self.watch.note(key, |view| view.sole_holder = sole);
        }
    }

    /// Needed pieces that one peer has, seeds apart.
    fn pieces_of_one(&self) -> Bitfield {
        let mut rare = Bitfield::new(self.have.len());
        for piece in self.settled.iter_zeros().filter(|piece| self.picker.rarity.count(*piece) == 1)
        {
            rare.set(piece, true);
        }
        rare
    }

    /// Whether there is a needed piece that nobody has, seeds apart.
    fn has_pieces_of_none(&self) -> bool {
        self.settled.iter_zeros().any(|piece| self.picker.rarity.count(piece) == 0)
    }
}
