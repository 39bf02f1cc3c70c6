//! Account ids, partitions and Regions. Only what the simulator needs to tell one from another: it is no list of all of AWS.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest number twelve digits can write.
const LARGEST_ACCOUNT: u64 = 999_999_999_999;

/// A 12-digit AWS account id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    /// The id with this number, if twelve digits can write it.
    pub fn new(number: u64) -> Option<Self> {
        (number <= LARGEST_ACCOUNT).then_some(Self(number))
    }

    /// The id as a number.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl FromStr for AccountId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        number
            .map(Self)
            .ok_or_else(|| format!("account id {text:?} is not 12 digits in quotes"))
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A partition of AWS: ARNs, Regions and credentials do not cross it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partition {
    /// The commercial Regions.
    #[default]
    Aws,
    /// GovCloud (US).
    AwsUsGov,
    /// China.
    AwsCn,
    /// The isolated partition of `us-iso-*`.
    AwsIso,
    /// The isolated partition of `us-isob-*`.
    AwsIsoB,
}

impl Partition {
    /// The partition a Region belongs to, by its name.
    pub fn of_region(region: &str) -> Self {
        match region {
            r if r.starts_with("us-gov-") => Self::AwsUsGov,
            r if r.starts_with("cn-") => Self::AwsCn,
            r if r.starts_with("us-isob-") => Self::AwsIsoB,
            r if r.starts_with("us-iso-") => Self::AwsIso,
            _ => Self::Aws,
        }
    }

    /// The name as it stands in an ARN.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
            Self::AwsIso => "aws-iso",
            Self::AwsIsoB => "aws-iso-b",
        }
    }

    /// The Regions every account of the partition has without opting in.
    pub fn default_regions(self) -> &'static [&'static str] {
        match self {
            Self::Aws => DEFAULT_REGIONS,
            Self::AwsUsGov => &["us-gov-west-1", "us-gov-east-1"],
            Self::AwsCn => &["cn-north-1", "cn-northwest-1"],
            Self::AwsIso => &["us-iso-east-1", "us-iso-west-1"],
            Self::AwsIsoB => &["us-isob-east-1"],
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The commercial Regions that need no opting in.
const DEFAULT_REGIONS: &[&str] = &[
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_keeps_its_leading_zero() {
        assert_eq!(
            "012345678901".parse::<AccountId>().unwrap().to_string(),
            "012345678901"
        );
    }

    #[test]
    fn eleven_digits_and_words_are_no_account_id() {
        for text in [
            "12345678901",
            "1234567890123",
            "+12345678901",
            "abcdefghijkl",
            "",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_region_names_its_partition_and_every_default_region_agrees() {
        for partition in [
            Partition::Aws,
            Partition::AwsUsGov,
            Partition::AwsCn,
            Partition::AwsIso,
            Partition::AwsIsoB,
        ] {
            for region in partition.default_regions() {
                assert_eq!(Partition::of_region(region), partition, "{region}");
            }
        }
    }
}
