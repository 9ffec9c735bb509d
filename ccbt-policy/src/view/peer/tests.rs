use super::*;

const fn s(secs: u64) -> Time {
    Time::from_secs(secs)
}

fn peer() -> PeerView {
    PeerView::new(([192, 0, 2, 1], 6881).into(), s(1))
}

/// Interested since 2 s in the four pieces that we offer since 2 s.
fn leecher() -> PeerView {
    peer().with(|p| {
        p.set_offered(s(2), 4);
        p.set_peer_interested(s(2), true);
    })
}

#[test]
fn a_view_stays_compact() {
    assert!(size_of::<PeerView>() <= 320, "{} bytes", size_of::<PeerView>());
}

#[test]
fn a_peer_starts_as_bep_3_says() {
    let p = peer();
    assert!(p.am_choking && p.peer_choking && !p.am_interested && !p.peer_interested);
    assert_eq!(p.availability, Availability::Unknown);
    assert_eq!(p.unoffered_since, Some(s(1)));
    assert_eq!(p.unwanted_since, None);
}

#[test]
fn only_a_real_change_moves_a_flags_instant() {
    let mut p = peer();
    p.set_peer_interested(s(5), false);
    p.set_am_choking(s(5), true);
    p.set_peer_choking(s(5), true);
    p.set_am_interested(s(5), false);
    assert_eq!(p, peer());
    p.set_peer_interested(s(6), true);
    p.set_peer_interested(s(7), true);
    assert_eq!(p.peer_interested_since, s(6));
}

#[test]
fn nobody_is_unwanted_before_availability_is_known() {
    let mut p = peer();
    p.set_wanted(s(2), 0);
    assert_eq!(p.unwanted_since, None);
    p.set_availability(s(3), Availability::None);
    p.set_wanted(s(4), 0);
    assert_eq!(p.unwanted_since, Some(s(3)));
}

#[test]
fn a_wanted_piece_stops_the_clock_and_the_last_one_gone_starts_it_anew() {
    let mut p = peer();
    p.set_availability(s(3), Availability::Some);
    p.set_wanted(s(3), 2);
    assert_eq!((p.unwanted_since, p.was_wanted), (None, true));
    p.set_wanted(s(8), 0);
    assert_eq!((p.unwanted_since, p.was_wanted), (Some(s(8)), true));
}

#[test]
fn a_have_is_availability_and_counts() {
    let mut p = peer();
    p.new_have(s(4));
    assert_eq!((p.availability, p.availability_at), (Availability::Some, Some(s(4))));
    assert_eq!((p.have, p.last_new_have_at), (1, Some(s(4))));
    assert!(p.metadata_done);
}

#[test]
fn offered_pieces_stop_the_clock_of_having_nothing_to_offer() {
    let mut p = peer();
    p.set_offered(s(2), 3);
    assert_eq!(p.unoffered_since, None);
    p.set_offered(s(5), 0);
    p.set_offered(s(6), 0);
    assert_eq!(p.unoffered_since, Some(s(5)));
}

#[test]
fn interest_counts_while_we_choke() {
    assert_eq!(leecher().uncounted_since(), None);
    assert!(leecher().interest_counts(s(100_000)));
    assert!(leecher().is_useful(s(100_000)));
}

#[test]
fn interest_in_nothing_never_counts() {
    let p = leecher().with(|p| p.set_offered(s(5), 0));
    assert_eq!(p.uncounted_since(), Some(s(5)));
    let p = leecher().with(|p| p.set_peer_interested(s(6), false));
    assert_eq!(p.uncounted_since(), Some(s(6)));
    assert!(!p.interest_counts(s(6)));
}

#[test]
fn interest_without_a_request_ends_60_s_after_our_unchoke() {
    let p = leecher().with(|p| p.set_am_choking(s(10), false));
    assert!(p.interest_counts(Time::from_millis(69_999)));
    assert!(!p.interest_counts(s(70)));
    assert!(!p.interest_counts(Time::from_millis(70_001)));
}

#[test]
fn a_request_since_our_unchoke_makes_interest_count_on() {
    let before = leecher().with(|p| {
        p.last_request_at = Some(Time::from_millis(9_999));
        p.set_am_choking(s(10), false);
    });
    assert!(!before.interest_counts(s(70)));
    let after = before.with(|p| p.last_request_at = Some(s(10)));
    assert!(after.interest_counts(s(100_000)));
}

#[test]
fn of_several_causes_the_oldest_counts() {
    let p = leecher().with(|p| {
        p.set_am_choking(s(10), false);
        p.set_offered(s(30), 0);
        p.set_peer_interested(s(20), false);
    });
    assert_eq!(p.uncounted_since(), Some(s(20)));
}
