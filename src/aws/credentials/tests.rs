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

async fn looked_up(expiry: SystemTime, aws: Option<SystemTime>) -> Result<Current, Failed> {
    let clock = AwsClock::default();
    if let Some(aws) = aws {
        clock.read(aws);
    }
    let source = Source::Given(credentials(Some(expiry)));
    let base = Base::new(source, Duration::from_secs(1), clock);
    base.credentials().await
}

#[tokio::test]
async fn credentials_past_their_end_by_the_clock_of_aws_are_none_and_their_end_is_named() {
    let expiry = SystemTime::UNIX_EPOCH + Duration::from_hours(438_288);
    let error = looked_up(expiry, Some(SystemTime::now())).await.err();
    let error = error.expect("over");
    assert_eq!(error.failure, Failure::Credentials);
    assert!(
        error.detail.contains("ended at 2020-01-01T00:00:00Z"),
        "{error:?}"
    );
}

#[tokio::test]
async fn as_long_as_aws_has_not_said_the_time_or_says_another_the_wall_clock_ends_nothing() {
    let (now, hour) = (SystemTime::now(), Duration::from_hours(1));
    assert!(looked_up(now - hour, None).await.is_ok());
    assert!(looked_up(now - hour, Some(now - 2 * hour)).await.is_ok());
    assert!(looked_up(now + hour, Some(now)).await.is_ok());
    assert!(looked_up(now + hour, Some(now + 2 * hour)).await.is_err());
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
