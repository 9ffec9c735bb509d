//! The numbers: rates of peers, the state of the whole, and what policies see of it.

use std::time::Duration;

use ccbt_policy::Time;

use super::SwarmCore;

/// Rates are measured so often.
const SECOND: Duration = Duration::from_secs(1);

/// A rate below this that only fades, in bytes a second, is none.
const STILL: u64 = 1024;

/// Payload in and out.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) downloaded: u64,
    pub(super) uploaded: u64,
    measured_at: Time,
    before: (u64, u64),
    rates: (u64, u64),
    /// Bytes a second that were sent in the last whole interval.
    sent: u64,
}

impl Meter {
    /// When rates are to be measured next.
    pub(super) fn due_at(&self) -> Time {
        self.measured_at + SECOND
    }

    /// When they were last.
    pub(super) fn measured_at(&self) -> Time {
        self.measured_at
    }

    /// The most that the line upwards has shown of late, in bytes a second.
    pub(super) fn capacity_up(&self) -> u64 {
        self.rates.1.max(self.sent).max(self.uploaded - self.before.1)
    }

    fn measure(&mut self, now: Time) -> Duration {
        let elapsed = now.saturating_since(self.measured_at);
        let latest = (
            per_second(self.downloaded - self.before.0, elapsed),
            per_second(self.uploaded - self.before.1, elapsed),
        );
        self.sent = latest.1;
        self.rates = (smooth(self.rates.0, latest.0), smooth(self.rates.1, latest.1));
        self.before = (self.downloaded, self.uploaded);
        self.measured_at = now;
        elapsed
    }
}

impl SwarmCore {
    pub(super) fn measure_rates(&mut self, now: Time) {
        let elapsed = self.meter.measure(now);
        for key in self.rounds.awake() {
            let Some(peer) = self.peers.get_mut(key) else { continue };
            peer.window.tick(now);
            let rate = peer.window.rate();
            let uploaded_before = &mut peer.uploaded_before;
            self.watch.note(key, |view| {
                view.download_rate = rate;
                let sent = per_second(view.uploaded - *uploaded_before, elapsed);
                view.upload_rate = smooth(view.upload_rate, sent);
                *uploaded_before = view.uploaded;
            });
        }
    }

    /// Brings [`SwarmCore::progress`] up to date.
    pub(super) fn measure(&mut self) {
        if std::mem::take(&mut self.stirred) {
            self.count_peers();
        }
        let progress = &mut self.progress;
        progress.verified = progress.total - self.left;
        progress.have = self.have.count_ones();
        progress.need = self.need;
        progress.pieces = self.config.geometry.pieces();
        (progress.download_rate, progress.upload_rate) = self.meter.rates;
        progress.downloaded = self.meter.downloaded;
        progress.uploaded = self.meter.uploaded;
        progress.dialing = u32::try_from(self.peers.half_open()).unwrap_or(u32::MAX);
        let candidates = self.memory.candidates(self.meter.measured_at);
        progress.candidates = u32::try_from(candidates).unwrap_or(u32::MAX);
    }

    fn count_peers(&mut self) {
        let (mut useful, mut choking) = (0, 0);
        for (_, view) in self.watch.iter().filter(|(_, view)| view.wanted > 0) {
            useful += 1;
            choking += u32::from(view.peer_choking);
        }
        let progress = &mut self.progress;
        progress.peers = u32::try_from(self.watch.len()).unwrap_or(u32::MAX);
        (progress.useful, progress.choking) = (useful, choking);
    }

    /// Brings what policies see of the swarm up to date.
    pub(super) fn refresh_swarm_view(&mut self, now: Time) {
        let limit = self.config.max_peers;
        let free = self.free_slots();
        let used = limit - free;
        let newcomers = u32::try_from(self.peers.lobby().len()).unwrap_or(u32::MAX);
        let (have, need) = (self.have.count_ones(), self.need);
        let complete = self.is_complete();
        let endgame = self.picker.is_endgame();
        let peers = u32::try_from(self.watch.len()).unwrap_or(u32::MAX);
        self.watch.update_swarm(now, |view| {
            view.have = have;
            view.need = need;
            view.peers = peers;
            view.limit = limit;
            view.free_slots = free;
            view.newcomers = newcomers;
            view.endgame = endgame;
            // Crowded from 90 % on, until it is below 80 % again.
            let threshold = if view.crowded { 8 } else { 9 };
            view.crowded = u64::from(used) * 10 >= u64::from(limit) * threshold;
            if complete {
                view.upload_only_since.get_or_insert(now);
            } else {
                view.upload_only_since = None;
            }
        });
    }
}

fn per_second(bytes: u64, elapsed: Duration) -> u64 {
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1_000_000) / micros
}

/// A mean over some seconds; falls to 0 when nothing comes.
fn smooth(before: u64, latest: u64) -> u64 {
    let mean = if before == 0 { latest } else { (before * 3 + latest) / 4 };
    if latest == 0 && mean < STILL { 0 } else { mean }
}
