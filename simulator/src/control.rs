//! The simulator's own paths, for tests in other languages:
//!
//! - `GET /_simulator/state`: counts, unexpected calls, assumptions, peaks;
//! - `GET /_simulator/world`: the world as it is now;
//! - `PUT /_simulator/world`: another world, whole, in YAML or JSON;
//! - `PATCH /_simulator/world`: one change, as in a world's `changes`;
//! - `POST /_simulator/reset-counts`: empty books.

use std::time::SystemTime;

use bytes::Bytes;
use hyper::{Method, Request};
use serde_json::{Value, json};

use crate::accounting::{Accounting, InFlight};
use crate::cloud::Cloud;
use crate::reply::Reply;
use crate::timeline::Change;
use crate::world::World;

const PREFIX: &str = "/_simulator/";

/// Whether a request is for us and not for AWS.
pub(crate) fn is_ours(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Answers one of our own paths.
pub(crate) fn answer(
    cloud: &mut Cloud,
    in_flight: &InFlight,
    request: &Request<Bytes>,
    now: SystemTime,
) -> Reply {
    let path = request
        .uri()
        .path()
        .strip_prefix(PREFIX)
        .unwrap_or_default();
    match (request.method(), path) {
        (&Method::GET, "state") => state(cloud, in_flight, now),
        (&Method::GET, "world") => world(cloud, now),
        (&Method::PUT, "world") => done(put(cloud, request.body(), now)),
        (&Method::PATCH, "world") => done(patch(cloud, request.body(), now)),
        (&Method::POST, "reset-counts") => {
            cloud.accounting = Accounting::default();
            in_flight.reset();
            done(Ok(()))
        }
        _ => Reply::json(
            404,
            &json!({"error": "no such path: see the module documentation of `control`"}),
        ),
    }
}

fn state(cloud: &mut Cloud, in_flight: &InFlight, now: SystemTime) -> Reply {
    let mut state = cloud.state(now);
    if let Value::Object(fields) = &mut state {
        fields.insert(
            "max_concurrent_requests".to_owned(),
            in_flight.peak().into(),
        );
    }
    Reply::json(200, &state)
}

fn world(cloud: &mut Cloud, now: SystemTime) -> Reply {
    cloud.tick(now);
    match serde_json::to_value(&cloud.world) {
        Ok(world) => Reply::json(200, &world),
        Err(error) => Reply::json(500, &json!({"error": error.to_string()})),
    }
}

fn put(cloud: &mut Cloud, body: &[u8], now: SystemTime) -> Result<(), String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let world = World::parse(text).map_err(|error| error.to_string())?;
    cloud.replace(world, now);
    Ok(())
}

fn patch(cloud: &mut Cloud, body: &[u8], now: SystemTime) -> Result<(), String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let change: Change = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    cloud.apply(now, &change)
}

fn done(result: Result<(), String>) -> Reply {
    match result {
        Ok(()) => Reply::json(200, &json!({"ok": true})),
        Err(error) => Reply::json(400, &json!({"error": error})),
    }
}
