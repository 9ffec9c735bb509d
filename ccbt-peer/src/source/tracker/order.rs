//! In which order trackers are asked (BEP 12): no clock, no network, no chance but a seed.

/// Items in tiers, the next to be asked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order<T> {
    tiers: Vec<Vec<T>>,
}

/// Where an item stands at the moment: its tier, and its index therein.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    tier: usize,
    index: usize,
}

impl Place {
    /// The first place of the same tier.
    pub(super) fn first(self) -> Self {
        Self { index: 0, ..self }
    }
}

impl<T> Order<T> {
    /// Items in the order in which they are given.
    pub(super) fn new(tiers: Vec<Vec<T>>) -> Self {
        Self { tiers }
    }

    /// Brings each tier into an order of its own, so that its trackers share the load of all clients.
    pub(super) fn shuffle(&mut self, chance: &mut fastrand::Rng) {
        for tier in &mut self.tiers {
            chance.shuffle(tier);
        }
    }

    /// All places, in the order of asking.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<T> {
        let sizes: Vec<usize> = self.tiers.iter().map(Vec::len).collect();
        let tiers = sizes.into_iter().enumerate();
        tiers.flat_map(|(tier, size)| (0..size).map(move |index| Place { tier, index }))
    }

    pub(super) fn at(&mut self, place: Place) -> Option<&mut T> {
        self.tiers.get_mut(place.tier)?.get_mut(place.index)
    }

    /// The item here responded: from now on it is the first of its tier.
    pub(super) fn responded(&mut self, place: Place) {
        if let Some(before) =
            self.tiers.get_mut(place.tier).and_then(|tier| tier.get_mut(..=place.index))
        {
            before.rotate_right(1);
        }
    }

    /// All items, in the order of asking.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.tiers.iter().flatten()
    }

    /// All items, in the order of asking.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.tiers.iter_mut().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order<char> {
        Order::new(vec![vec!['a', 'b', 'c'], vec![], vec!['d'], vec!['e', 'f']])
    }

    fn text(order: &Order<char>) -> String {
        order.iter().collect()
    }

    #[test]
    fn tiers_are_asked_one_after_the_other() {
        let mut order = order();
        let places: Vec<Place> = order.places().collect();
        let asked: String = places.iter().filter_map(|place| order.at(*place).copied()).collect();
        assert_eq!(asked, "abcdef");
    }

    #[test]
    fn who_responds_becomes_the_first_of_its_tier_and_the_others_keep_their_order() {
        let mut order = order();
        order.responded(Place { tier: 0, index: 2 });
        assert_eq!(text(&order), "cabdef");
        order.responded(Place { tier: 3, index: 1 });
        order.responded(Place { tier: 2, index: 0 });
        assert_eq!(text(&order), "cabdfe");
        order.responded(Place { tier: 1, index: 0 });
        order.responded(Place { tier: 9, index: 0 });
        assert_eq!(text(&order), "cabdfe");
    }

    #[test]
    fn a_shuffle_keeps_to_its_tier_and_to_its_seed() {
        let shuffled = |seed| {
            let mut order = order();
            order.shuffle(&mut fastrand::Rng::with_seed(seed));
            let sorted = |letters: &str| {
                let mut letters: Vec<char> = letters.chars().collect();
                letters.sort_unstable();
                letters.into_iter().collect::<String>()
            };
            let text = text(&order);
            assert_eq!(
                (sorted(&text[..3]), &text[3..4], sorted(&text[4..])),
                ("abc".into(), "d", "ef".into())
            );
            text
        };
        assert_eq!(shuffled(7), shuffled(7));
        let different: std::collections::HashSet<String> = (0..200).map(shuffled).collect();
        assert_eq!(different.len(), 12, "each order of each tier comes up");
    }
}
