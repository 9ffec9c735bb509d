//! Bars in SVG: the first figure of every workload, the shortest bar is the best.

use std::fmt::Write as _;

use super::report::Table;

const WIDTH: u32 = 760;
/// Where bars begin: left of it stand the names.
const LEFT: u32 = 130;
/// The longest bar; its figure stands behind it.
const BAR: u32 = 480;
const LINE: u32 = 22;
/// What stands above the bars of a workload.
const HEAD: u32 = 44;

/// One group of bars for each table that has figures.
pub(super) fn svg(tables: &[Table]) -> String {
    let (mut body, mut y) = (String::new(), 8);
    for table in tables {
        let Some(metric) = table.metrics().first().copied() else { continue };
        let rows: Vec<_> =
            table.rows.iter().filter_map(|row| Some((row.client, row.spread(metric)?))).collect();
        let most = rows.iter().map(|(_, spread)| spread.median).fold(0.0, f64::max);
        let title = format!("{}: {} {}", table.workload, metric.name, metric.unit);
        let _ =
            writeln!(body, "<text class=\"h\" x=\"8\" y=\"{}\">{}</text>", y + 18, escape(&title));
        let _ = writeln!(body, "<text x=\"8\" y=\"{}\">{}</text>", y + 34, escape(&table.about));
        y += HEAD;
        for (client, spread) in rows {
            let length = if most > 0.0 { spread.median / most * f64::from(BAR) } else { 0.0 };
            let class = if client == "ccbt" { "us" } else { "them" };
            let end = f64::from(LEFT) + length + 6.0;
            let (text, figure) = (y + 13, spread.text(metric.digits));
            let _ = writeln!(
                body,
                "<text x=\"8\" y=\"{text}\">{client}</text>\
                 <rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"17\"/>\
                 <text x=\"{end:.1}\" y=\"{text}\">{figure}</text>"
            );
            y += LINE;
        }
        y += 8;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y}\" viewBox=\"0 0 {WIDTH} {y}\">\n\
         <style>text{{font:12px sans-serif;fill:#333}}.h{{font-weight:bold}}.us{{fill:#c2410c}}.them{{fill:#94a3b8}}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Metric, Row};
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_figures_are_large() {
        let metric = Metric::new("wall", "s", 1);
        let row =
            |client, wall| Row { client, runs: vec![Some(vec![(metric, wall)])], failed: None };
        let rows = vec![row("ccbt", 1.0), row("libtorrent", 4.0)];
        let table = Table { workload: "download", about: "a < b".to_owned(), base: "", rows };
        let drawn = svg(&[table]);
        assert!(drawn.contains("class=\"us\" x=\"130\" y=\"52\" width=\"120.0\""), "{drawn}");
        assert!(drawn.contains("class=\"them\" x=\"130\" y=\"74\" width=\"480.0\""), "{drawn}");
        assert!(drawn.contains("a &lt; b"));
    }

    #[test]
    fn a_chart_of_nothing_is_still_a_picture() {
        assert!(svg(&[]).starts_with("<svg ") && svg(&[]).ends_with("</svg>\n"));
    }
}
