//! Which events a trail records, and how `GetEventSelectors` says so.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which events a trail records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selectors {
    /// No selector was ever put: AWS answers with one default basic selector.
    #[default]
    All,
    /// Basic: read management events only.
    ReadOnly,
    /// Basic: write management events only.
    WriteOnly,
    /// Basic: no management events at all.
    DataOnly,
    /// Basic: all management events but those of KMS.
    ExcludeKms,
    /// Advanced: all management events.
    AdvancedAll,
    /// Advanced: all management events but those of KMS.
    AdvancedExcludeKms,
    /// Neither list has an entry, as some emulators answer.
    Empty,
    /// Basic selectors as given.
    Basic(Vec<Value>),
    /// Advanced selectors as given.
    Advanced(Vec<Value>),
    /// The whole answer of `GetEventSelectors`, as given.
    Raw(Value),
}

impl Selectors {
    /// The answer of `GetEventSelectors` for the trail of this ARN.
    pub(crate) fn answer(&self, arn: &str) -> Value {
        let basic = |selectors: Value| json!({"TrailARN": arn, "EventSelectors": selectors});
        let advanced =
            |selectors: Value| json!({"TrailARN": arn, "AdvancedEventSelectors": selectors});
        match self {
            Self::All => basic(json!([basic_selector("All", true, &[])])),
            Self::ReadOnly => basic(json!([basic_selector("ReadOnly", true, &[])])),
            Self::WriteOnly => basic(json!([basic_selector("WriteOnly", true, &[])])),
            Self::DataOnly => basic(json!([basic_selector("All", false, &[])])),
            Self::ExcludeKms => basic(json!([basic_selector("All", true, &[KMS])])),
            Self::AdvancedAll => advanced(json!([advanced_selector(&[])])),
            Self::AdvancedExcludeKms => advanced(json!([advanced_selector(&[KMS])])),
            Self::Empty => {
                json!({"TrailARN": arn, "EventSelectors": [], "AdvancedEventSelectors": []})
            }
            Self::Basic(list) => basic(Value::Array(list.clone())),
            Self::Advanced(list) => advanced(Value::Array(list.clone())),
            Self::Raw(body) => body.clone(),
        }
    }
}

/// The event source of KMS, the usual one to leave out.
const KMS: &str = "kms.amazonaws.com";

fn basic_selector(kind: &str, management: bool, excluded: &[&str]) -> Value {
    let data = if management {
        json!([])
    } else {
        json!([{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}])
    };
    json!({"ReadWriteType": kind, "IncludeManagementEvents": management, "DataResources": data, "ExcludeManagementEventSources": excluded})
}

fn advanced_selector(excluded: &[&str]) -> Value {
    let mut fields = vec![json!({"Field": "eventCategory", "Equals": ["Management"]})];
    if !excluded.is_empty() {
        fields.push(json!({"Field": "eventSource", "NotEquals": excluded}));
    }
    json!({"Name": "Management events selector", "FieldSelectors": fields})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_answers_with_one_kind_of_list_and_never_both() {
        let kinds = |selectors: Selectors| {
            let answer = selectors.answer("arn");
            (
                answer.get("EventSelectors").is_some(),
                answer.get("AdvancedEventSelectors").is_some(),
            )
        };
        for basic in [
            Selectors::All,
            Selectors::ReadOnly,
            Selectors::DataOnly,
            Selectors::Basic(Vec::new()),
        ] {
            assert_eq!(kinds(basic), (true, false));
        }
        for advanced in [
            Selectors::AdvancedAll,
            Selectors::AdvancedExcludeKms,
            Selectors::Advanced(Vec::new()),
        ] {
            assert_eq!(kinds(advanced), (false, true));
        }
    }

    #[test]
    fn an_exclusion_stands_where_each_kind_has_it() {
        let basic = Selectors::ExcludeKms.answer("arn");
        assert_eq!(
            basic["EventSelectors"][0]["ExcludeManagementEventSources"],
            json!([KMS])
        );
        let advanced = Selectors::AdvancedExcludeKms.answer("arn");
        assert_eq!(
            advanced["AdvancedEventSelectors"][0]["FieldSelectors"][1],
            json!({"Field": "eventSource", "NotEquals": [KMS]})
        );
    }
}
