//! The session policy given to `AssumeRole`: a session may do no more than it allows. Actions and effects are weighed; resources and conditions are not.

use serde_json::Value;

/// A session policy, as text and as read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SessionPolicy {
    statements: Vec<Value>,
}

impl SessionPolicy {
    /// Reads a policy document; `None` if it is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(text).ok()?;
        let statements = list(document.get("Statement")?);
        let whole = statements.iter().all(|statement| {
            statement.get("Effect").is_some() && statement.get("Resource").is_some()
        });
        (whole && !statements.is_empty()).then_some(Self { statements })
    }

    /// Whether `cloudtrail:DescribeTrails` or the like is allowed.
    pub(crate) fn allows(&self, action: &str) -> bool {
        let effect_on = |effect: &str| {
            self.statements
                .iter()
                .any(|statement| is(statement, effect) && names(statement, action))
        };
        effect_on("Allow") && !effect_on("Deny")
    }
}

fn is(statement: &Value, effect: &str) -> bool {
    statement.get("Effect").and_then(Value::as_str) == Some(effect)
}

fn names(statement: &Value, action: &str) -> bool {
    let patterns = statement.get("Action").map(list).unwrap_or_default();
    patterns
        .iter()
        .filter_map(Value::as_str)
        .any(|pattern| fits(&pattern.to_lowercase(), &action.to_lowercase()))
}

/// A pattern with `*` for any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|left| {
            let mut tails = left.char_indices().map(|(at, _)| at).chain([left.len()]);
            tails.any(|at| fits(rest, left.get(at..).unwrap_or_default()))
        }),
    }
}

fn list(value: &Value) -> Vec<Value> {
    value
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![value.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(effect: &str, action: &str) -> SessionPolicy {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":{action},"Resource":"*"}}]}}"#
        );
        SessionPolicy::read(&text).unwrap()
    }

    #[test]
    fn only_named_actions_are_allowed() {
        let reads = policy(
            "Allow",
            r#"["cloudtrail:DescribeTrails", "cloudtrail:Get*"]"#,
        );
        assert!(
            reads.allows("cloudtrail:DescribeTrails") && reads.allows("cloudtrail:GetTrailStatus")
        );
        assert!(
            !reads.allows("cloudtrail:StopLogging") && !reads.allows("organizations:ListAccounts")
        );
        assert!(policy("Allow", r#""*""#).allows("cloudtrail:StopLogging"));
    }

    #[test]
    fn a_denial_allows_nothing() {
        assert!(!policy("Deny", r#""*""#).allows("cloudtrail:DescribeTrails"));
    }

    #[test]
    fn what_is_no_policy_document_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"Statement": []}"#,
            r#"{"Statement": [{"Action": "*"}]}"#,
        ] {
            assert_eq!(SessionPolicy::read(text), None, "{text}");
        }
    }
}
