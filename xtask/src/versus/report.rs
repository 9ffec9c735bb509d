//! What was measured, as a table for the terminal and for Markdown.

use std::fmt::Write as _;

use super::figures::{Metric, Row};

/// One workload's results.
pub(super) struct Table {
    pub(super) workload: &'static str,
    pub(super) about: String,
    /// Whose figures the others' are divided by.
    pub(super) base: &'static str,
    pub(super) rows: Vec<Row>,
}

impl Table {
    /// Everything that was measured of anybody, in the order in which it was.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let mut metrics: Vec<Metric> = Vec::new();
        for metric in self.rows.iter().flat_map(Row::metrics) {
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        }
        metrics
    }

    /// A Markdown section, which reads well in a terminal, too.
    pub(super) fn markdown(&self) -> String {
        let metrics = self.metrics();
        let base = self.rows.iter().find(|row| row.client == self.base);
        let mut cells = vec![vec!["client".to_owned(), "runs".to_owned()]];
        for metric in &metrics {
            cells[0].push(if metric.unit.is_empty() {
                metric.name.to_owned()
            } else {
                format!("{} {}", metric.name, metric.unit)
            });
            if metric.compared && base.is_some() {
                cells[0].push(format!("{} / {}", metric.name, self.base));
            }
        }
        for row in &self.rows {
            let runs = row.runs.iter().flatten().count();
            let mut line = vec![row.client.to_owned(), runs.to_string()];
            for &metric in &metrics {
                let own = row.spread(metric).map(|spread| spread.text(metric.digits));
                line.push(own.unwrap_or_else(|| "-".to_owned()));
                if let Some(base) = base.filter(|_| metric.compared) {
                    let ratios = row.ratios(base, metric).map(|spread| spread.text(2));
                    line.push(ratios.unwrap_or_else(|| "-".to_owned()));
                }
            }
            cells.push(line);
        }
        let mut text = format!("### {}: {}\n\n{}", self.workload, self.about, align(&cells));
        for (row, why) in self.rows.iter().filter_map(|row| Some((row, row.failed.as_ref()?))) {
            let why = why.lines().next().unwrap_or_default();
            let _ = write!(text, "\n{} failed: {why}\n", row.client);
        }
        text
    }
}

/// A Markdown table whose columns stand below each other in plain text, too.
fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0).max(3)).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        for (cell, &width) in line.iter().zip(&widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if index == 0 {
            for width in &widths {
                let _ = write!(text, "|{}", "-".repeat(width + 2));
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Metric = Metric::new("wall", "s", 2).compared();
    const PEAK: Metric = Metric::new("memory", "MiB", 0);

    #[test]
    fn a_table_has_ratios_beside_the_figures_that_are_compared() {
        let row = |client, wall| Row {
            client,
            runs: vec![Some(vec![(WALL, wall), (PEAK, 9.6)])],
            failed: None,
        };
        let failed =
            Row { client: "aria2", runs: vec![None], failed: Some("it\nbroke".to_owned()) };
        let rows = vec![row("libtorrent", 2.0), row("ccbt", 1.5), failed];
        let about = "some bytes".to_owned();
        let table = Table { workload: "download", about, base: "libtorrent", rows };
        let expected = "\
### download: some bytes

| client     | runs | wall s | wall / libtorrent | memory MiB |
|------------|------|--------|-------------------|------------|
| libtorrent | 1    | 2.00   | 1.00              | 10         |
| ccbt       | 1    | 1.50   | 0.75              | 10         |
| aria2      | 0    | -      | -                 | -          |

aria2 failed: it
";
        assert_eq!(table.markdown(), expected);
    }
}
