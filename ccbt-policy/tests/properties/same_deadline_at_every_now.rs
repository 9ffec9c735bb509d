use ccbt_policy::{EvictionPolicy, Time, Verdict};
use proptest::prelude::*;

use crate::facts::{policies, rules_about_pieces, views};

proptest! {
    #[test]
    fn equal_facts_give_the_same_verdict_at_every_now(
        policy in policies(),
        (peer, swarm) in views(),
        moments in prop::collection::vec(0..2_000_000_000_u64, 2..5),
    ) {
        // When to ask again is the one thing that may depend on when one asks.
        let judge = |now| Verdict { look_again: None, ..policy.judge(&peer, &swarm, now) };
        for now in moments.into_iter().map(Time::from_micros) {
            prop_assert_eq!(judge(now), judge(Time::ZERO));
        }
    }

    #[test]
    fn whoever_wants_to_look_again_wants_it_later(
        policy in policies(),
        (peer, swarm) in views(),
        now in 0..2_000_000_000_u64,
    ) {
        let now = Time::from_micros(now);
        prop_assert!(policy.judge(&peer, &swarm, now).look_again.is_none_or(|again| again > now));
    }

    #[test]
    fn nobody_with_a_needed_piece_is_ever_evicted_while_we_download(
        policy in rules_about_pieces(),
        (peer, swarm) in views(),
        wanted in 1..9_u32,
    ) {
        let now = Time::from_secs(2_000);
        let swarm = swarm.with(|swarm| swarm.upload_only_since = None);
        let useful = peer.with(|peer| {
            peer.new_have(now);
            peer.set_wanted(now, wanted);
        });
        let verdict = policy.judge(&useful, &swarm, now);
        prop_assert_eq!((verdict.evict, verdict.spare, verdict.lose_interest), (None, None, false));
    }

    #[test]
    fn interest_counts_exactly_until_the_instant_that_is_told((peer, _) in views(), now in 0..2_000_000_000_u64) {
        let now = Time::from_micros(now);
        let requested_in_time = peer.last_request_at >= Some(peer.am_choking_since);
        let unchoked_lately = now < peer.am_choking_since + std::time::Duration::from_secs(60);
        let takes = peer.peer_interested && peer.offered > 0;
        // What was before the last change is not known from the view, so only later instants can be
        // compared.
        if now >= peer.peer_interested_since && now >= peer.unoffered_since.unwrap_or_default() {
            prop_assert_eq!(peer.interest_counts(now), takes && (peer.am_choking || requested_in_time || unchoked_lately));
        }
    }
}
