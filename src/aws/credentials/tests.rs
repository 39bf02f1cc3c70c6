use std::time::SystemTime;

use super::*;

fn credentials(expiry: Option<SystemTime>) -> Credentials {
    Credentials::new("AKIA", "secret", Some("token".to_owned()), expiry, "test")
}

fn found(end: Option<Instant>) -> Found {
    Found::new(credentials(None), end)
}

fn failed() -> Failed {
    Failed::new(Failure::Credentials, "none")
}

#[test]
fn credentials_are_read_again_before_their_end_and_not_all_the_time() {
    let now = Instant::now();
    let at = |left: Duration| reread_at(&found(Some(now + left)), now);
    assert_eq!(at(Duration::from_hours(1)), now + Duration::from_mins(55));
    assert_eq!(at(Duration::from_mins(4)), now + PAUSE);
    assert_eq!(at(Duration::ZERO), now + PAUSE);
    assert_eq!(reread_at(&found(None), now), now + REREAD);
}

#[test]
fn a_failed_look_up_keeps_what_is_still_good() {
    let now = Instant::now();
    let held = |end| {
        Some(Held {
            found: Ok(found(end)),
            since: now,
            until: now,
        })
    };
    let good = held(Some(now + Duration::from_mins(1)));
    assert!(next(good, Err(failed()), now).found.is_ok());
    assert!(next(held(None), Err(failed()), now).found.is_ok());
    let over = held(Some(now));
    assert_eq!(next(over, Err(failed()), now).found.err(), Some(failed()));
}

#[test]
fn a_failure_is_held_for_a_moment() {
    let now = Instant::now();
    let held = next(None, Err(failed()), now);
    assert_eq!(
        (held.found.err(), held.until),
        (Some(failed()), now + PAUSE)
    );
}

#[test]
fn another_token_is_another_session() {
    let other = Credentials::new("AKIA", "secret", Some("other".to_owned()), None, "test");
    assert!(same(
        &credentials(None),
        &credentials(Some(SystemTime::now()))
    ));
    assert!(!same(&credentials(None), &other));
}
