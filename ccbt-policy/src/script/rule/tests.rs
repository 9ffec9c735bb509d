use super::*;
use crate::script::Rules;
use crate::{Outcome, PolicySet, Watch};
use std::sync::Arc;

fn rules(text: &str) -> Rules {
    Rules::parse("test.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn rule(when: &str, more: &str) -> Arc<ScriptRule> {
    let text = format!("[[rule]]\nname = 'mine'\nwhen = '''{when}'''\n{more}");
    rules(&text).iter().next().unwrap().clone()
}

fn peer() -> PeerView {
    PeerView::new(([192, 0, 2, 1], 6881).into(), Time::from_secs(10))
}

fn judge(rule: &ScriptRule, peer: &PeerView, now: Time) -> Verdict {
    rule.judge(peer, &SwarmView::new(), now)
}

/// When [`peer`] goes, asked at its handshake.
fn goes(when: &str) -> Option<Time> {
    judge(&rule(when, ""), &peer(), peer().connected_at).evict.map(|eviction| eviction.at)
}

const MICRO: Duration = Duration::from_micros(1);
const MINUTE: Time = Time::from_secs(70);

#[test]
fn the_example_of_the_command_line_says_what_it_does() {
    let rule = rule("client starts_with \"-XL\" && downloaded == 0 && age > 2m", "");
    let taker = peer().with(|p| p.client = Some("-XL0019-".into()));
    let at = Time::from_secs(130) + MICRO;
    for now in [taker.connected_at, Time::from_secs(130), at, Time::from_secs(999)] {
        let eviction = judge(&rule, &taker, now).evict.unwrap();
        assert_eq!((eviction.at, eviction.reason.as_str()), (at, "mine"), "{now}");
    }
    assert_eq!(judge(&rule, &peer(), at).evict, None);
    assert_eq!(judge(&rule, &taker.with(|p| p.downloaded = 1), at).evict, None);
}

#[test]
fn an_age_is_compared_to_the_microsecond() {
    let born = Some(peer().connected_at);
    assert_eq!(goes("age > 1m"), Some(MINUTE + MICRO));
    assert_eq!(goes("age >= 1m"), Some(MINUTE));
    assert_eq!(goes("age == 1m"), Some(MINUTE));
    assert_eq!(goes("1m < age"), Some(MINUTE + MICRO));
    assert_eq!(goes("1m <= age"), Some(MINUTE));
    assert_eq!(goes("age < 1m"), born);
    assert_eq!(goes("age != 1m"), born);
    assert_eq!(goes("!(age < 1m)"), Some(MINUTE));
    assert_eq!(goes("!(age <= 1m)"), Some(MINUTE + MICRO));
    assert_eq!(goes("age > 30s && age >= 1m || age > 2m"), Some(MINUTE));
    assert_eq!(goes("(age > 1m) == true"), Some(MINUTE + MICRO));
    assert_eq!(goes("age > 18446744073709s"), None);
}

#[test]
fn a_rule_that_holds_for_a_while_is_over_to_the_microsecond() {
    let rule = rule("age >= 1m && age < 2m", "");
    let end = Time::from_secs(130);
    for (now, at) in [
        (peer().connected_at, Some(MINUTE)),
        (MINUTE, Some(MINUTE)),
        (Time::from_micros(end.as_micros() - 1), Some(MINUTE)),
        (end, None),
    ] {
        let verdict = judge(&rule, &peer(), now);
        assert_eq!(verdict.evict.map(|eviction| eviction.at), at, "{now}");
        assert_eq!(verdict.look_again, at.map(|_| end), "{now}");
    }
}

#[test]
fn a_deadline_counts_from_where_the_run_of_yes_began() {
    // Yes up to 20 s, no up to a minute, yes from there.
    let rule = rule("age < 20s || age >= 1m", "");
    let at = |secs| judge(&rule, &peer(), Time::from_secs(secs)).evict.map(|eviction| eviction.at);
    assert_eq!([at(10), at(29)], [Some(Time::from_secs(10)); 2]);
    assert_eq!([at(30), at(69), at(70), at(900)], [Some(MINUTE); 4]);
}

#[test]
fn an_age_that_has_not_begun_is_compared_with_nothing() {
    for relation in ["<", "<=", "==", "!=", ">=", ">"] {
        assert_eq!(goes(&format!("request_age {relation} 1m")), None);
    }
    let rule = rule("request_age < 1m", "");
    let asked = peer().with(|p| p.last_request_at = Some(Time::from_secs(40)));
    assert_eq!(judge(&rule, &asked, Time::from_secs(50)).evict.unwrap().at, Time::from_secs(40));
}

#[test]
fn two_ages_are_compared_once_both_have_begun() {
    let rule = rule("am_choking_age > request_age", "");
    let view = |asked| peer().with(|p| p.last_request_at = asked);
    let asked = Time::from_secs(40);
    assert_eq!(judge(&rule, &view(Some(asked)), Time::from_secs(50)).evict.unwrap().at, asked);
    assert_eq!(judge(&rule, &view(None), Time::from_secs(50)).evict, None);
    let equal = Some(peer().connected_at);
    assert_eq!(judge(&rule, &view(equal), Time::from_secs(50)).evict, None);
}

#[test]
fn interest_that_stops_to_count_is_a_deadline() {
    let view = peer().with(|p| {
        p.set_offered(Time::from_secs(10), 1);
        p.set_peer_interested(Time::from_secs(11), true);
        p.set_am_choking(Time::from_secs(20), false);
    });
    let verdict = judge(&rule("!useful", ""), &view, Time::from_secs(20));
    assert_eq!(verdict.evict.unwrap().at, Time::from_secs(80));
}

#[test]
fn each_action_has_its_part_of_the_verdict() {
    let due = |more: &str| judge(&rule("age >= 1m", more), &peer(), MINUTE);
    let expected = Some(Eviction::new(MINUTE, Reason::new("mine")));
    assert_eq!(due(""), Verdict { evict: expected, ..Verdict::keep() });
    assert_eq!(due("action = 'evict'"), due(""));
    assert_eq!(due("action = 'spare'"), Verdict { spare: expected, ..Verdict::keep() });
    assert_eq!(due("action = 'report'"), Verdict { shadow: expected, ..Verdict::keep() });
    assert_eq!(due("action = 'lose-interest'"), Verdict { lose_interest: true, ..Verdict::keep() });
    let early = judge(&rule("age >= 1m", "action = 'lose-interest'"), &peer(), Time::from_secs(69));
    assert_eq!(early, Verdict { look_again: Some(MINUTE), ..Verdict::keep() });
}

#[test]
fn a_cooldown_doubles_up_to_an_hour_or_stays() {
    let waits = |more: &str| {
        let cooldown = judge(&rule("true", more), &peer(), MINUTE).evict.unwrap().cooldown;
        [1, 2, 99].map(|times| cooldown.wait(times).as_secs())
    };
    assert_eq!(waits(""), [60, 120, 3_600]);
    assert_eq!(waits("cooldown = '5m'"), [300, 600, 3_600]);
    assert_eq!(waits("cooldown = '24h'"), [86_400; 3]);
}

#[test]
fn facts_that_change_without_a_question_are_sampled_from_the_handshake_on() {
    let sampled = rule("uploaded > 1GiB", "");
    let again = |now| judge(&sampled, &peer(), now).look_again;
    assert_eq!(again(Time::from_secs(10)), Some(Time::from_secs(15)));
    assert_eq!(again(Time::from_millis(14_999)), Some(Time::from_secs(15)));
    assert_eq!(again(Time::from_secs(15)), Some(Time::from_secs(20)));
    assert_eq!(judge(&rule("!fast && pinned", ""), &peer(), MINUTE).look_again, None);

    let set = rules("[[rule]]\nname = 'much'\nwhen = 'uploaded > 1GiB'")
        .iter()
        .cloned()
        .fold(PolicySet::new(), PolicySet::with);
    let mut watch = Watch::new(Arc::new(set), SwarmView::new());
    watch.insert(1, peer(), Time::from_secs(10));
    assert_eq!(watch.poll(Time::from_secs(10)), None);
    watch.note(1, |peer| peer.uploaded = 2 << 30);
    assert_eq!(watch.poll(Time::from_millis(14_999)), None);
    let Some(Outcome::Evict { evidence, .. }) = watch.poll(Time::from_secs(15)) else { panic!() };
    assert_eq!(evidence, Evidence::new("much", "uploaded > 1GiB: uploaded 2147483648"));
}

#[test]
fn a_rule_that_fails_keeps_the_peer_and_says_so_once() {
    let rules = rules(
        "[[rule]]\nname = 'ratio'\nwhen = 'uploaded / downloaded > 3'\n\
         [[rule]]\nname = 'huge'\nwhen = 'uploaded * 1e308 * 1e308 > 3'",
    );
    let judge_all = |peer: &PeerView| -> Vec<Verdict> {
        rules.iter().map(|rule| judge(rule, peer, peer.connected_at)).collect()
    };
    let told = || rules.new_troubles().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(), [""; 0]);

    let view = peer().with(|p| p.uploaded = 9);
    let sample = Some(Time::from_secs(15));
    assert_eq!(judge_all(&view), [Verdict { look_again: sample, ..Verdict::keep() }; 2]);
    assert_eq!(
        told(),
        [
            "rule ratio fails for 192.0.2.1:6881: a division by zero; peers for which it fails are kept",
            "rule huge fails for 192.0.2.1:6881: a number too large to be told; \
             peers for which it fails are kept",
        ]
    );
    judge_all(&view);
    assert_eq!(told(), [""; 0]);

    // It goes on to judge those for whom it does not fail.
    let fair = view.with(|p| p.downloaded = 1);
    assert!(judge_all(&fair)[0].evict.is_some());
}

#[test]
fn a_failure_that_has_not_come_is_not_told_before() {
    let text = "[[rule]]\nname = 'ratio'\nwhen = 'age >= 1m && uploaded / downloaded > 3'";
    let rules = rules(text);
    let rule = rules.iter().next().unwrap();
    let early = judge(rule, &peer(), Time::from_secs(69));
    assert_eq!(early.look_again, Some(MINUTE));
    assert_eq!(rules.new_troubles().count(), 0);
    assert_eq!(judge(rule, &peer(), MINUTE).evict, None);
    assert_eq!(rules.new_troubles().count(), 1);
}

#[test]
fn a_failure_that_is_over_does_not_matter() {
    let rule = rule("age < 20s && uploaded / downloaded > 3 || age >= 1m", "");
    assert_eq!(judge(&rule, &peer(), Time::from_secs(30)).evict.unwrap().at, MINUTE);
    assert_eq!(judge(&rule, &peer(), Time::from_secs(12)).evict, None);
}

#[test]
fn evidence_has_the_reason_and_every_fact_of_the_rule() {
    let rule = rule(
        "client starts_with \"-XL\" && downloaded == 0 && age > 2m",
        "reason = 'takes and never gives'",
    );
    let view = peer().with(|p| p.client = Some("-XL0019-".into()));
    let eviction = judge(&rule, &view, view.connected_at).evict.unwrap();
    assert_eq!(
        rule.explain(&view, &SwarmView::new(), &eviction),
        Evidence::new(
            "mine",
            "takes and never gives: client \"-XL0019-\", downloaded 0, age 120.000001s"
        )
    );
    assert_eq!(rule.because(), "takes and never gives");
    assert_eq!(rule.action(), Action::Evict);
}
