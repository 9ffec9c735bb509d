//! Figures of many runs: their middle, their range, and what one client took beside another.

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    /// How many digits behind the point are worth printing.
    pub(super) digits: usize,
    /// Shown as ratios to the client that others are compared with, too.
    pub(super) compared: bool,
}

impl Metric {
    pub(super) const fn new(name: &'static str, unit: &'static str, digits: usize) -> Self {
        Metric { name, unit, digits, compared: false }
    }

    pub(super) const fn compared(mut self) -> Self {
        self.compared = true;
        self
    }
}

/// One run of one client: what was measured, in the order in which it is shown.
pub(super) type Run = Vec<(Metric, f64)>;

/// The runs of one client in one workload, by round; `None` where it failed.
pub(super) struct Row {
    pub(super) client: &'static str,
    pub(super) runs: Vec<Option<Run>>,
    /// Why it failed, the first time.
    pub(super) failed: Option<String>,
}

impl Row {
    /// All that was measured of this kind.
    pub(super) fn spread(&self, metric: Metric) -> Option<Spread> {
        Spread::of(self.runs.iter().filter_map(|run| value(run.as_ref()?, metric)))
    }

    /// This client's figures divided by the other's of the same round.
    pub(super) fn ratios(&self, base: &Row, metric: Metric) -> Option<Spread> {
        let pairs = self.runs.iter().zip(&base.runs);
        Spread::of(pairs.filter_map(|(run, base)| {
            let base = value(base.as_ref()?, metric)?;
            Some(value(run.as_ref()?, metric)? / base).filter(|ratio| ratio.is_finite())
        }))
    }

    /// What was measured at all.
    pub(super) fn metrics(&self) -> impl Iterator<Item = Metric> {
        self.runs.iter().flatten().next().into_iter().flatten().map(|(metric, _)| *metric)
    }
}

fn value(run: &Run, metric: Metric) -> Option<f64> {
    run.iter().find(|(other, _)| *other == metric).map(|(_, value)| *value)
}

/// The middle of some figures and their range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
    pub(super) count: usize,
}

impl Spread {
    /// `None` of no figures.
    pub(super) fn of(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let (least, most) = (*figures.first()?, *figures.last()?);
        let (low, high) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
        Some(Spread { median: f64::midpoint(low, high), least, most, count: figures.len() })
    }

    /// `1.24 (1.10-1.59)`, or the middle alone if there is no range to show.
    pub(super) fn text(&self, digits: usize) -> String {
        let number = |value: f64| format!("{value:.digits$}");
        let (least, most) = (number(self.least), number(self.most));
        let median = number(self.median);
        if least == most { median } else { format!("{median} ({least}-{most})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Metric = Metric::new("wall", "s", 2).compared();

    fn row(client: &'static str, walls: &[Option<f64>]) -> Row {
        let runs = walls.iter().map(|wall| wall.map(|wall| vec![(WALL, wall)])).collect();
        Row { client, runs, failed: None }
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let spread = Spread::of([4.0, 1.0, 2.0, 8.0].into_iter()).unwrap();
        assert_eq!((spread.median, spread.least, spread.most, spread.count), (3.0, 1.0, 8.0, 4));
        assert_eq!(Spread::of([3.0, 9.0, 1.0].into_iter()).unwrap().median, 3.0);
        assert_eq!(Spread::of([].into_iter()), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_not_between_medians() {
        let ours = row("ccbt", &[Some(1.0), Some(9.0), Some(2.0)]);
        let base = row("libtorrent", &[Some(2.0), Some(10.0), Some(1.0)]);
        let ratios = ours.ratios(&base, WALL).unwrap();
        assert_eq!((ratios.median, ratios.least, ratios.most), (0.9, 0.5, 2.0));
    }

    #[test]
    fn a_round_that_failed_has_no_ratio() {
        let ours = row("ccbt", &[Some(1.0), None, Some(3.0)]);
        let base = row("libtorrent", &[None, Some(1.0), Some(2.0)]);
        let ratios = ours.ratios(&base, WALL).unwrap();
        assert_eq!((ratios.median, ratios.count), (1.5, 1));
    }

    #[test]
    fn equal_figures_are_shown_once() {
        assert_eq!(Spread::of([1.001, 1.002].into_iter()).unwrap().text(2), "1.00");
        assert_eq!(Spread::of([1.0, 2.0, 4.0].into_iter()).unwrap().text(1), "2.0 (1.0-4.0)");
    }
}
