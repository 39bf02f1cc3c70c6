//! Carries out the effect of a fault: an error in the service's own words, a spoilt answer, or none at all.

use serde_json::Value;

use crate::account::Literal;
use crate::call::{Call, Service};
use crate::cloud::Outcome;
use crate::faults::Effect;
use crate::reply::{AwsError, Pace, Reply};
use crate::sessions::Caller;

pub(crate) fn denied(call: &Call, caller: Option<&Caller>, why: &str) -> AwsError {
    let who = caller.map_or("anonymous", |caller| caller.arn.as_str());
    let resource = call.text("RoleArn").or(call.trail()).unwrap_or("*");
    let action = format!("{}:{}", call.service.as_str(), call.operation);
    let message =
        format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}");
    AwsError::access_denied(call.service, message.trim_end())
}

/// Effects that leave no HTTP answer.
pub(crate) fn stop(effect: Option<&Effect>) -> Option<Outcome> {
    match effect? {
        Effect::Hang => Some(Outcome::Hang),
        Effect::Reset => Some(Outcome::Reset),
        Effect::Close => Some(Outcome::Close),
        _ => None,
    }
}

/// Effects that are an error in the service's own protocol.
pub(crate) fn told_error(
    effect: &Effect,
    call: &Call,
    caller: Option<&Caller>,
) -> Option<AwsError> {
    let service = call.service;
    match effect {
        Effect::AccessDenied if call.operation == "AssumeRole" => Some(denied(call, caller, "")),
        Effect::AccessDenied => Some(denied(
            call,
            caller,
            "because no identity-based policy allows the action",
        )),
        Effect::ScpDenied => Some(denied(
            call,
            caller,
            "with an explicit deny in a service control policy",
        )),
        Effect::Throttle => Some(AwsError::throttled(service)),
        Effect::Error {
            code,
            message,
            status,
        } => Some(AwsError {
            status: *status,
            ..AwsError::new(code, message)
        }),
        _ => None,
    }
}

pub(crate) fn literal_reply(literal: &Literal, service: Service) -> Reply {
    let content_type = literal
        .content_type
        .as_deref()
        .unwrap_or(Reply::content_type_of(service));
    Reply::plain(literal.status, content_type, literal.text())
}

/// What a proxy in the way says.
const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Request blocked</title></head><body><h1>Request blocked</h1><p>Contact your network team.</p></body></html>\n";

/// Effects that spoil a whole answer.
pub(crate) fn spoil(reply: Reply, effect: &Effect, service: Service) -> Reply {
    let half = reply.body.len() / 2;
    match effect {
        Effect::Status(status) => Reply {
            status: *status,
            ..reply.with_body("")
        },
        Effect::HangBody => reply.paced(Pace::HangHalfway),
        Effect::CutBody => reply.paced(Pace::CutHalfway),
        Effect::Drip(pause) => reply.paced(Pace::Drip(*pause)),
        Effect::Huge(padding) => reply.paced(Pace::Padded(*padding)),
        Effect::Truncate => {
            let body = reply.body.slice(..half);
            reply.with_body(body)
        }
        Effect::Malformed => reply.with_body("}{ this is no document <<"),
        Effect::EmptyObject => reply.with_body("{}"),
        Effect::Html(status) => Reply::plain(*status, "text/html; charset=utf-8", HTML),
        Effect::Literal(literal) => literal_reply(literal, service),
        Effect::Redirect(to) => Reply::plain(307, "text/plain", "").with("Location", to),
        Effect::NullFields(names) => edit(reply, |value| null_fields(value, names)),
        Effect::DropFields(names) => edit(reply, |value| drop_fields(value, names)),
        _ => reply,
    }
}

fn edit(reply: Reply, change: impl FnOnce(&mut Value)) -> Reply {
    let Ok(mut value) = serde_json::from_slice(&reply.body) else {
        return reply;
    };
    change(&mut value);
    reply.with_body(value.to_string())
}

fn null_fields(value: &mut Value, names: &[String]) {
    match value {
        Value::Array(entries) => entries
            .iter_mut()
            .for_each(|entry| null_fields(entry, names)),
        Value::Object(fields) => {
            for (key, field) in fields {
                let picked = if names.is_empty() {
                    !field.is_object() && !field.is_array()
                } else {
                    names.contains(key)
                };
                if picked {
                    *field = Value::Null;
                } else {
                    null_fields(field, names);
                }
            }
        }
        _ => {}
    }
}

fn drop_fields(value: &mut Value, names: &[String]) {
    match value {
        Value::Array(entries) => entries
            .iter_mut()
            .for_each(|entry| drop_fields(entry, names)),
        Value::Object(fields) => {
            fields.retain(|key, _| !names.contains(key));
            fields
                .values_mut()
                .for_each(|field| drop_fields(field, names));
        }
        _ => {}
    }
}
