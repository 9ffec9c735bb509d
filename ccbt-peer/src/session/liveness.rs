//! Time and bytes: when a connection is dead, and what keeps it alive.

use ccbt_policy::Time;
use ccbt_wire::Message;

use super::frame::Frame;
use super::{
    HANDSHAKE_LIMIT, IDLE_LIMIT, KEEP_ALIVE, KEEP_ALIVE_BEAT, KEEP_ALIVE_RQBIT, Phase, Session,
    WRITE_LIMIT,
};
use crate::CloseReason;
use crate::close::Timeout;

impl Session {
    /// `count` bytes came, and what is whole of them was taken; `inside` tells whether the next byte belongs
    /// to a message that has begun.
    pub fn on_bytes(&mut self, now: Time, count: usize, inside: bool) {
        self.received_at = now;
        if !inside {
            self.frame = None;
        } else if let Some(frame) = &mut self.frame {
            frame.add(now, u64::try_from(count).unwrap_or(u64::MAX));
        } else {
            self.frame = Some(Frame::new(now));
        }
    }

    /// The payload of a block is here to its last byte.
    pub fn on_piece_end(&mut self) {
        self.frame = None;
    }

    /// Bytes went out; `waiting` tells whether more are left.
    pub fn on_sent(&mut self, now: Time, waiting: bool) {
        self.sent_at = now;
        self.stuck_since = waiting.then_some(now);
    }

    /// Bytes could not go out.
    pub fn on_blocked(&mut self, now: Time) {
        self.stuck_since.get_or_insert(now);
    }

    /// From now on we do not read what the peer sends (back-pressure, our own limit), or we do again. Its
    /// silence in between is not its own.
    pub fn on_held(&mut self, now: Time, held: bool) {
        if held {
            self.held_since.get_or_insert(now);
        } else if let Some(since) = self.held_since.take() {
            self.received_at = now;
            if let Some(frame) = &mut self.frame {
                frame.shift(now.saturating_since(since));
            }
        }
    }

    /// Whether we do not read what the peer sends.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held_since.is_some()
    }

    /// When [`Session::on_deadline`] has to be called, if nothing happens before.
    #[must_use]
    pub fn deadline(&self) -> Time {
        if self.phase == Phase::Handshaking {
            return self.began_at + HANDSHAKE_LIMIT;
        }
        let stuck = self.stuck_since.map(|since| since + WRITE_LIMIT);
        let silent =
            [Some(self.received_at + IDLE_LIMIT), self.frame.map(|frame| frame.deadline())];
        let silent = silent.into_iter().flatten().filter(|_| !self.is_held());
        silent.chain(stuck).fold(self.keep_alive_at(), Time::min)
    }

    fn keep_alive_at(&self) -> Time {
        let at = self.sent_at + if self.is_rqbit { KEEP_ALIVE_RQBIT } else { KEEP_ALIVE };
        Time::from_micros(at.as_micros() - at.as_micros() % KEEP_ALIVE_BEAT.as_micros())
    }

    /// Does what is due at `now`: sends a keep-alive.
    ///
    /// # Errors
    /// If the connection is dead.
    pub fn on_deadline(&mut self, now: Time) -> Result<(), CloseReason> {
        if self.phase == Phase::Handshaking {
            let late = now >= self.began_at + HANDSHAKE_LIMIT;
            return if late { Err(CloseReason::TimedOut(Timeout::Handshake)) } else { Ok(()) };
        }
        if !self.is_held() {
            if now >= self.received_at + IDLE_LIMIT {
                return Err(CloseReason::TimedOut(Timeout::Idle));
            }
            if let Some(frame) = &mut self.frame {
                frame.judge(now).map_err(CloseReason::TimedOut)?;
            }
        }
        if self.stuck_since.is_some_and(|since| now >= since + WRITE_LIMIT) {
            return Err(CloseReason::TimedOut(Timeout::Write));
        }
        if now >= self.keep_alive_at() {
            // A connection that cannot write needs no further keep-alive.
            if self.out.is_empty() {
                self.send(&Message::KeepAlive);
            }
            self.sent_at = now;
        }
        Ok(())
    }
}
