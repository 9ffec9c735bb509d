//! The one line that lives: how far, how fast, how long, who.

use ccbt_peer::Progress;

use super::paint::Paint;
use super::units;

const BAR: std::ops::RangeInclusive<usize> = 8..=30;

/// The state of a download in at most `width` columns. What matters least goes first when the
/// terminal is narrow.
pub(crate) fn line(now: &Progress, width: usize, paint: Paint) -> String {
    let parts = [units::rate(now.download_rate), left(now), who(now)];
    let short = [units::rate(now.download_rate), left(now), few(now)];
    let tails = [&parts[..], &short, &parts[..2], &parts[..1], &[]].map(join);
    fitting((now.verified, now.total), &tails, width, paint)
}

/// How far `part` of `whole` is, with a bar if there is room, and the first of `tails` that fits into `width`
/// columns.
pub(super) fn fitting(
    (part, whole): (u64, u64),
    tails: &[String],
    width: usize,
    paint: Paint,
) -> String {
    let percent = format!("{:>5}", units::percent(part, whole));
    let Some(tail) = tails.iter().find(|tail| percent.len() + tail.len() <= width) else {
        return percent.chars().take(width).collect();
    };
    let room = (width - percent.len() - tail.len()).saturating_sub(1).min(*BAR.end());
    let bar = if room >= *BAR.start() {
        format!(" {}", bar(part, whole, room, paint))
    } else {
        String::new()
    };
    format!("{}{bar}{tail}", paint.bold(&percent))
}

/// The same for a log: everything, and no bar.
pub(crate) fn plain(now: &Progress) -> String {
    let percent = units::percent(now.verified, now.total);
    format!("{percent:>5}{}", join(&[units::rate(now.download_rate), left(now), who(now)]))
}

/// How far the metadata of a magnet link is.
pub(super) fn metadata(have: u32, size: u32, peers: u32) -> String {
    let peers = units::count(peers as usize, "peer", "peers");
    if size == 0 {
        return format!("metadata: nothing yet, {peers} with it");
    }
    let (have, size) = (units::bytes(have.into()), units::bytes(size.into()));
    format!("metadata: {have} of {size} from {peers}")
}

fn join(parts: &[String]) -> String {
    parts.iter().filter(|part| !part.is_empty()).flat_map(|part| ["  ", part]).collect()
}

fn left(now: &Progress) -> String {
    match now.time_left() {
        Some(time) if now.verified < now.total => format!("{} left", units::left(time)),
        _ => String::new(),
    }
}

/// Who is connected: all, those with something for us, those of them that choke us; and who had to go.
fn who(now: &Progress) -> String {
    let Progress { useful, choking, dropped, .. } = now;
    format!("{}: {useful} useful, {choking} choking us, {dropped} dropped", peers(now))
}

fn few(now: &Progress) -> String {
    format!("{}, {} dropped", peers(now), now.dropped)
}

fn peers(now: &Progress) -> String {
    units::count(now.peers as usize, "peer", "peers")
}

/// A bar of `room` cells, filled as far as `part` of `whole` is done.
fn bar(part: u64, whole: u64, room: usize, paint: Paint) -> String {
    let done = share(part, whole, room);
    let (full, empty) = paint.bar();
    format!("{}{}", paint.good(&full.repeat(done)), paint.faint(&empty.repeat(room - done)))
}

fn share(part: u64, whole: u64, room: usize) -> usize {
    let cells = u128::from(part.min(whole)) * room as u128 / u128::from(whole.max(1));
    usize::try_from(cells).unwrap_or(room).min(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Progress {
        let mut now = Progress::default();
        (now.verified, now.total) = (10_485_760, 25_165_824);
        (now.download_rate, now.peers, now.useful, now.choking, now.dropped) =
            (3_145_728, 48, 12, 3, 31);
        now
    }

    #[test]
    fn a_wide_terminal_shows_everything() {
        let text = line(&now(), 120, Paint::PLAIN);
        let bar = "############------------------";
        let tail = "3.00 MiB/s  5s left  48 peers: 12 useful, 3 choking us, 31 dropped";
        assert_eq!(text, format!("41.6% {bar}  {tail}"));
    }

    #[test]
    fn metadata_is_counted_until_it_is_here() {
        assert_eq!(metadata(0, 0, 0), "metadata: nothing yet, 0 peers with it");
        assert_eq!(metadata(16384, 20480, 1), "metadata: 16.0 KiB of 20.0 KiB from 1 peer");
    }

    #[test]
    fn a_narrow_terminal_loses_the_bar_then_words() {
        let shown = |width| line(&now(), width, Paint::PLAIN);
        assert_eq!(
            shown(75),
            "41.6%  3.00 MiB/s  5s left  48 peers: 12 useful, 3 choking us, 31 dropped"
        );
        assert_eq!(shown(50), "41.6%  3.00 MiB/s  5s left  48 peers, 31 dropped");
        assert_eq!(shown(30), "41.6%  3.00 MiB/s  5s left");
        assert_eq!(shown(17), "41.6%  3.00 MiB/s");
        assert_eq!(shown(16), "41.6% ####------");
        assert_eq!(shown(5), "41.6%");
        assert_eq!(shown(2), "41");
        assert_eq!(shown(0), "");
    }

    #[test]
    fn no_width_is_ever_exceeded() {
        for width in 0..200 {
            assert!(line(&now(), width, Paint::PLAIN).chars().count() <= width, "{width}");
            assert!(
                line(&Progress::default(), width, Paint::PLAIN).chars().count() <= width,
                "{width}"
            );
        }
    }

    #[test]
    fn a_download_that_stands_still_promises_no_end() {
        let mut now = now();
        now.download_rate = 0;
        assert!(!line(&now, 120, Paint::PLAIN).contains("left"));
    }
}
