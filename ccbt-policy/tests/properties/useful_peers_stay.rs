use std::sync::Arc;

use ccbt_policy::registry::Selection;
use ccbt_policy::{Availability, Outcome, PeerView, SwarmView, Time, Watch};
use proptest::prelude::*;

use crate::facts::{Change, SwarmChange, changes, newcomer, start_of_swarm, swarm_changes, waits};

/// Whether a peer that keeps to the BEPs may do that now: pieces are announced before they are
/// wanted, and only while we download; who is interested may download; who has everything lacks
/// nothing; and requests are neither rejected without end nor answered with bad data.
fn keeps_to_the_beps(change: Change, peer: &PeerView, leeching: bool) -> bool {
    let downloads = peer.upload_only_since.is_none() && peer.availability != Availability::All;
    match change {
        Change::Wanted(wanted) => {
            let announced = matches!(peer.availability, Availability::Some | Availability::All);
            wanted == 0 || (announced && leeching)
        }
        Change::Offered(offered) => offered == 0 || downloads,
        Change::PeerInterested(interested) => !interested || downloads,
        Change::UploadOnly => !peer.peer_interested && peer.offered == 0,
        Change::Availability(Availability::All) => !peer.peer_interested && peer.offered == 0,
        Change::Availability(_) => peer.wanted == 0,
        Change::NewHave => downloads,
        Change::Request => peer.peer_interested,
        Change::Reject => peer.consecutive_rejects < 20,
        Change::Trust(by) => by >= 0,
        _ => true,
    }
}

fn preset(name: &str) -> Selection {
    let mut selection = Selection::standard();
    selection.apply(&format!("preset={name}")).expect("there is such a preset");
    selection
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_useful_peer_that_keeps_to_the_beps_is_closed(
        name in prop_oneof![Just("standard"), Just("balanced")],
        fast in any::<bool>(),
        swarm in start_of_swarm(),
        steps in prop::collection::vec(
            (waits(), prop_oneof![6 => changes().prop_map(Ok), 1 => swarm_changes().prop_map(Err)]),
            1..80,
        ),
    ) {
        let mut watch = Watch::new(Arc::new(preset(name).build()), swarm);
        let mut now = Time::from_secs(1);
        // BEP 6: who has the fast extension says at once what it has.
        let mut start = newcomer(fast, now);
        if fast {
            start.set_availability(now, Availability::None);
        }
        watch.insert(0, start, now);
        for (wait, change) in steps {
            let end = now + wait;
            while let Some(at) = watch.next_deadline().filter(|&at| at <= end) {
                let at = at.max(now);
                while let Some(outcome) = watch.poll(at) {
                    if let Outcome::Evict { evidence, .. } = outcome {
                        let peer = watch.get(0).expect("it is still watched");
                        prop_assert!(
                            !peer.is_useful(at),
                            "{} closed a useful peer: {}\n{:?}", evidence.policy, evidence, peer
                        );
                        return Ok(());
                    }
                }
            }
            now = end;
            apply(&mut watch, now, change);
        }
    }
}

fn apply(watch: &mut Watch<u8>, now: Time, change: Result<Change, SwarmChange>) {
    let leeching = watch.swarm().leeching();
    match change {
        Ok(change) => watch.update(0, now, |peer| {
            if keeps_to_the_beps(change, peer, leeching) {
                change.apply(peer, now);
            }
        }),
        // What we need no more nobody has for us.
        Err(SwarmChange::Complete(complete)) => {
            watch.update(0, now, |peer| {
                if complete {
                    peer.set_wanted(now, 0)
                }
            });
            watch.update_swarm(now, |swarm: &mut SwarmView| {
                SwarmChange::Complete(complete).apply(swarm, now);
            });
        }
        Err(change) => watch.update_swarm(now, |swarm| change.apply(swarm, now)),
    }
}
