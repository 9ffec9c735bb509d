//! Turns, with the runtime's clock stopped.

#![allow(clippy::disallowed_methods, reason = "the clock of the runtime stands still here")]

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;

async fn turn_of(place: &mut Place) -> Turn {
    std::future::poll_fn(|cx| place.poll_turn(cx)).await
}

/// Moves `part` bytes at each of its turns, for ever; counts them.
fn hungry(limit: &Arc<Limit>, part: usize) -> (Arc<Mutex<usize>>, JoinHandle<()>) {
    let (limit, moved) = (limit.clone(), Arc::new(Mutex::new(0)));
    let counter = moved.clone();
    let task = tokio::spawn(async move {
        let mut place = Place::default();
        loop {
            place.queue(&limit);
            let turn = turn_of(&mut place).await;
            let bytes = part.min(turn.share());
            *counter.lock().unwrap() += bytes;
            turn.end(bytes);
            tokio::task::yield_now().await;
        }
    });
    (moved, task)
}

#[tokio::test(start_paused = true)]
async fn those_who_always_want_more_get_the_same() {
    for rate in [5 << 10, 1 << 20] {
        let limits = Limits::none();
        limits.set_down(Some(rate));
        let moved: Vec<_> = (0..7).map(|_| hungry(&limits.down, usize::MAX).0).collect();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let moved: Vec<usize> = moved.iter().map(|moved| *moved.lock().unwrap()).collect();
        let (least, most) = (moved.iter().min().unwrap(), moved.iter().max().unwrap());
        let share = limits.down.share().unwrap();
        assert!(most - least <= share, "{moved:?}");
        let all = 60 * usize::try_from(rate).unwrap();
        assert!(moved.iter().sum::<usize>().abs_diff(all) <= 2 * share, "{moved:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_swarm_of_two_peers_gets_as_much_as_one_of_fifty() {
    let limits = Limits::none();
    limits.set_down(Some(1 << 20));
    let swarms = [50, 2, 7].map(|peers| (peers, limits.of_swarm()));
    let moved = swarms.each_ref().map(|(peers, limits)| {
        (0..*peers).map(|_| hungry(&limits.down, usize::MAX).0).collect::<Vec<_>>()
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    let sum = |moved: &Vec<Arc<Mutex<usize>>>| moved.iter().map(|m| *m.lock().unwrap()).sum();
    let sums: [usize; 3] = moved.each_ref().map(sum);
    let share = limits.down.share().unwrap();
    let (least, most) = (sums.iter().min().unwrap(), sums.iter().max().unwrap());
    assert!(most - least <= 2 * share, "{sums:?}");
    assert!(sums.iter().sum::<usize>().abs_diff(60 << 20) <= 2 * share, "{sums:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_swarm_does_not_use_goes_to_the_others() {
    let limits = Limits::none();
    limits.set_up(Some(1 << 20));
    let (_idle, busy) = (limits.of_swarm(), limits.of_swarm());
    let (moved, _) = hungry(&busy.up, usize::MAX);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let share = limits.up.share().unwrap();
    assert!(moved.lock().unwrap().abs_diff(10 << 20) <= 2 * share);
}

#[tokio::test(start_paused = true)]
async fn small_bites_reach_the_rate_though_timers_are_coarse() {
    let limits = Limits::none();
    limits.set_down(Some(1 << 20));
    let (moved, _) = hungry(&limits.down, 64);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let moved = *moved.lock().unwrap();
    assert!(moved.abs_diff(2 << 20) < 4 << 10, "{moved}");
}

#[tokio::test(start_paused = true)]
async fn a_new_rate_counts_at_once_even_for_those_who_wait() {
    let limits = Limits::none();
    limits.set_up(Some(1));
    limits.up.charge(1 << 20);
    let mut place = Place::default();
    place.queue(&limits.up);
    let began = Instant::now();
    let (elapsed, ()) = tokio::join!(
        async {
            turn_of(&mut place).await.end(0);
            began.elapsed()
        },
        async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            limits.set_up(None);
        },
    );
    assert_eq!(elapsed.as_secs(), 3);
    assert!(!place.is_queued());
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_the_queue_holds_nobody_up() {
    let limits = Limits::none();
    limits.set_up(Some(1_000));
    limits.up.charge(1_000);
    let (mut first, mut second) = (Place::default(), Place::default());
    first.queue(&limits.up);
    second.queue(&limits.up);
    let began = Instant::now();
    assert!(tokio::time::timeout(Duration::from_millis(500), turn_of(&mut first)).await.is_err());
    assert!(first.is_queued());
    first.leave();
    turn_of(&mut second).await.end(0);
    assert_eq!(began.elapsed().as_millis(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn the_same_rate_again_forgives_no_debt() {
    let limits = Limits::none();
    limits.set_down(Some(1_000));
    limits.down.charge(5_000);
    limits.clone().set_down(Some(1_000));
    let mut place = Place::default();
    place.queue(&limits.down);
    let began = Instant::now();
    turn_of(&mut place).await.end(0);
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_something_else_does_not_keep_its_turn() {
    let limits = Limits::none();
    limits.set_up(Some(1 << 20));
    let places = [(); 3].map(|()| {
        let mut place = Place::default();
        place.queue(&limits.up);
        place
    });
    let [mut first, mut second, mut third] = places;
    let turn = turn_of(&mut first).await;
    // Both stand behind it, in this order.
    for place in [&mut second, &mut third] {
        let queued = std::future::poll_fn(|cx| Poll::Ready(place.poll_turn(cx).is_pending()));
        assert!(queued.await);
    }
    let (done, disk) = tokio::sync::oneshot::channel::<()>();
    let waits = tokio::spawn(async move {
        second.pass_while(disk).await.unwrap();
        second.is_queued()
    });
    turn.end(0);
    turn_of(&mut third).await.end(0);
    done.send(()).unwrap();
    assert!(!waits.await.unwrap(), "it takes a new place afterwards");
}
