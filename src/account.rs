//! The names AWS gives things, parsed once into types that cannot be wrong.
//!
//! Nothing here asks AWS anything. A value of one of these types has the form AWS documents, so the code behind it never checks again.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A text that does not have the form its type asks for; says which form that is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {wanted}")]
pub struct ParseError {
    text: String,
    wanted: &'static str,
}

impl ParseError {
    fn new(text: &str, wanted: &'static str) -> Self {
        let text = text.chars().take(128).collect();
        Self { text, wanted }
    }
}

/// The 12 digits of an AWS account, leading zeros kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    /// The id as a number, for hashing.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl FromStr for AccountId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        number
            .map(Self)
            .ok_or_else(|| ParseError::new(text, "an account id: 12 digits"))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A group of Regions with its own ARNs, endpoints and credentials; nothing crosses from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// Commercial Regions.
    Aws,
    /// China.
    AwsCn,
    /// GovCloud (US).
    AwsUsGov,
    /// Isolated, US top secret.
    AwsIso,
    /// Isolated, US secret.
    AwsIsoB,
    /// Isolated, Europe.
    AwsIsoE,
    /// Isolated, US, further Regions.
    AwsIsoF,
    /// European Sovereign Cloud.
    AwsEusc,
}

impl Partition {
    /// Every partition, with its name in ARNs and the prefix of its Regions (the longest prefix that fits decides).
    const TABLE: [(Self, &'static str, &'static str); 8] = [
        (Self::Aws, "aws", ""),
        (Self::AwsCn, "aws-cn", "cn-"),
        (Self::AwsUsGov, "aws-us-gov", "us-gov-"),
        (Self::AwsIso, "aws-iso", "us-iso-"),
        (Self::AwsIsoB, "aws-iso-b", "us-isob-"),
        (Self::AwsIsoE, "aws-iso-e", "eu-isoe-"),
        (Self::AwsIsoF, "aws-iso-f", "us-isof-"),
        (Self::AwsEusc, "aws-eusc", "eusc-"),
    ];

    /// The name as it stands in ARNs and in the `partition` label.
    pub fn as_str(self) -> &'static str {
        let row = Self::TABLE.iter().find(|row| row.0 == self);
        row.map_or("aws", |row| row.1)
    }

    fn of_region(region: &str) -> Self {
        let fits = |row: &&(Self, &str, &str)| !row.2.is_empty() && region.starts_with(row.2);
        Self::TABLE.iter().find(fits).map_or(Self::Aws, |row| row.0)
    }
}

impl FromStr for Partition {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let row = Self::TABLE.iter().find(|row| row.1 == text);
        row.map(|row| row.0)
            .ok_or_else(|| ParseError::new(text, "a partition such as aws or aws-us-gov"))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A Region's code, such as `eu-west-1`. Its form is checked, since it becomes part of a host name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// The code as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition the Region belongs to, by its prefix.
    pub fn partition(&self) -> Partition {
        Partition::of_region(&self.0)
    }

    /// Two or more lower-case words and a number, joined by hyphens.
    fn is_form(text: &str) -> bool {
        let Some((words, number)) = text.rsplit_once('-') else {
            return false;
        };
        let is_word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase());
        let is_number = matches!(number.len(), 1 | 2) && number.bytes().all(|b| b.is_ascii_digit());
        text.len() <= 32 && is_number && words.contains('-') && words.split('-').all(is_word)
    }
}

impl FromStr for Region {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if Self::is_form(text) {
            return Ok(Self(text.into()));
        }
        Err(ParseError::new(text, "a Region such as us-east-1"))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ARN of an IAM role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleArn {
    text: Arc<str>,
    partition: Partition,
    account: AccountId,
}

impl RoleArn {
    const FORM: &'static str = "a role ARN: arn:PARTITION:iam::ACCOUNT:role/NAME";

    /// The ARN of the role named `name` (with its path, without a leading slash) in an account.
    pub fn new(partition: Partition, account: AccountId, name: &str) -> Result<Self, ParseError> {
        format!("arn:{partition}:iam::{account}:role/{name}").parse()
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The account the role lives in.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The partition the role lives in.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// Whether a text has IAM's alphabet and length for a role's name with its path.
    pub fn is_name(name: &str) -> bool {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b);
        let last = name.rsplit('/').next().unwrap_or_default();
        name.len() <= 512 && (1..=64).contains(&last.len()) && name.bytes().all(allowed)
    }
}

impl FromStr for RoleArn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new(text, Self::FORM);
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or_else(wrong);
        let (arn, partition, service, region, account, resource) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        let name = resource.strip_prefix("role/").ok_or_else(wrong)?;
        if arn != "arn" || service != "iam" || !region.is_empty() || !Self::is_name(name) {
            return Err(wrong());
        }
        Ok(Self {
            text: text.into(),
            partition: partition.parse().map_err(|_| wrong())?,
            account: account.parse().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The ARN of a trail: a trail's only identity. The account in it is the owner, also where a member sees an organization trail.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrailArn {
    text: Arc<str>,
    partition: Partition,
    region: Option<Region>,
    owner: AccountId,
}

impl TrailArn {
    /// The longest ARN taken; AWS's own limit on a trail name is 128 characters.
    pub const MAX_BYTES: usize = 256;

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition the trail lives in.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The account that owns the trail.
    pub fn owner(&self) -> AccountId {
        self.owner
    }

    /// The same, as it stands in the ARN.
    pub fn owner_digits(&self) -> &str {
        self.text.split(':').nth(4).unwrap_or_default()
    }

    /// The Region in the ARN, where it has the form of one.
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// The trail's name.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }
}

impl FromStr for TrailArn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || {
            ParseError::new(
                text,
                "a trail ARN: arn:PARTITION:cloudtrail:REGION:ACCOUNT:trail/NAME",
            )
        };
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or_else(wrong);
        let (arn, partition, service, region, account, resource) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        let named = resource
            .strip_prefix("trail/")
            .is_some_and(|n| !n.is_empty());
        if text.len() > Self::MAX_BYTES || arn != "arn" || service != "cloudtrail" || !named {
            return Err(wrong());
        }
        Ok(Self {
            text: text.into(),
            partition: partition.parse().map_err(|_| wrong())?,
            region: region.parse().ok(),
            owner: account.parse().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for TrailArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for TrailArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_keeps_its_leading_zero() {
        let id: AccountId = "012345678901".parse().expect("12 digits");
        assert_eq!(id.to_string(), "012345678901");
    }

    #[test]
    fn what_is_not_twelve_digits_is_no_account_id() {
        for text in [
            "",
            "12345678901",
            "1234567890123",
            "12345678901a",
            "+12345678901",
            "１23456789012",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_region_names_its_partition() {
        for (region, partition) in [
            ("us-east-1", "aws"),
            ("ap-southeast-4", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-north-1", "aws-cn"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            let region: Region = region.parse().expect(region);
            assert_eq!(region.partition().as_str(), partition);
            assert_eq!(partition.parse::<Partition>(), Ok(region.partition()));
        }
    }

    #[test]
    fn what_could_choose_a_host_is_no_region() {
        for text in [
            "",
            "us-east",
            "useast1",
            "us-east-1.evil.example",
            "us-east-1/",
            "US-EAST-1",
            "us--1",
            "a@b-c-1",
            "us-east-123",
        ] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_role_arn_knows_its_account_and_partition() {
        let arn: RoleArn = "arn:aws-us-gov:iam::210987654321:role/audit/read"
            .parse()
            .expect("a role");
        assert_eq!(arn.account().to_string(), "210987654321");
        assert_eq!(arn.partition(), Partition::AwsUsGov);
        for text in [
            "",
            "arn:aws:iam::210987654321:user/x",
            "arn:aws:iam:us-east-1:210987654321:role/x",
            "arn:aws:iam::1:role/x",
            "arn:moon:iam::210987654321:role/x",
            "arn:aws:iam::210987654321:role/",
            "arn:aws:iam::210987654321:role/a b",
        ] {
            assert!(text.parse::<RoleArn>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_trail_arn_knows_its_owner_and_name() {
        let arn: TrailArn = "arn:aws:cloudtrail:eu-west-1:210987654321:trail/org"
            .parse()
            .expect("a trail");
        assert_eq!(
            (arn.owner().to_string().as_str(), arn.name()),
            ("210987654321", "org")
        );
        assert_eq!(arn.owner_digits(), "210987654321");
        assert_eq!(arn.region().map(Region::as_str), Some("eu-west-1"));
    }

    #[test]
    fn a_trail_arn_that_is_too_long_or_misshapen_is_refused() {
        let long = format!(
            "arn:aws:cloudtrail:eu-west-1:210987654321:trail/{}",
            "x".repeat(256)
        );
        for text in [
            long.as_str(),
            "",
            "arn:aws:s3:::bucket",
            "arn:aws:cloudtrail:eu-west-1:x:trail/n",
            "arn:aws:cloudtrail:eu-west-1:210987654321:trail/",
        ] {
            assert!(text.parse::<TrailArn>().is_err(), "{text}");
        }
    }
}
