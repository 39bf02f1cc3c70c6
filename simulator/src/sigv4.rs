//! What a `SigV4` signature says of a request: the access key, the Region and the service of its credential scope, and when it was signed. The signature itself is not verified.

use std::time::{Duration, SystemTime};

use hyper::HeaderMap;

/// How far a signing time may be from AWS's clock.
const ALLOWED_SKEW: Duration = Duration::from_mins(5);

/// Who signed, for where, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) access_key: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) token: Option<String>,
    pub(crate) signed_at: Option<SystemTime>,
}

impl Signature {
    /// Reads the headers; `None` if the request is not signed as it must be.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let authorization = text(headers, "authorization")?.strip_prefix("AWS4-HMAC-SHA256")?;
        let credential = authorization
            .split(',')
            .find_map(|part| part.trim().strip_prefix("Credential="))?;
        let mut scope = credential.split('/');
        let access_key = scope.next()?.to_owned();
        let _date = scope.next()?;
        let (region, service) = (scope.next()?.to_owned(), scope.next()?.to_owned());
        (scope.next()? == "aws4_request").then_some(())?;
        let token = text(headers, "x-amz-security-token").map(ToOwned::to_owned);
        let signed_at = text(headers, "x-amz-date").and_then(parse_basic);
        Some(Self {
            access_key,
            region,
            service,
            token,
            signed_at,
        })
    }

    /// Why AWS would refuse the signing time, in its words.
    pub(crate) fn skew(&self, now: SystemTime) -> Option<String> {
        let signed = self.signed_at?;
        let (earliest, latest) = (
            now.checked_sub(ALLOWED_SKEW)?,
            now.checked_add(ALLOWED_SKEW)?,
        );
        let [said, shown, low, high] = [signed, now, earliest, latest].map(basic);
        if signed < earliest {
            Some(format!(
                "Signature expired: {said} is now earlier than {low} ({shown} - 5 min.)"
            ))
        } else if signed > latest {
            Some(format!(
                "Signature not yet current: {said} is still later than {high} ({shown} + 5 min.)"
            ))
        } else {
            None
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `20260131T120000Z`.
fn basic(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time)
        .to_string()
        .replace(['-', ':'], "")
}

fn parse_basic(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    let (hour, minute, second) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    humantime::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260131/eu-west-1/cloudtrail/aws4_request, SignedHeaders=host;x-amz-date, Signature=00";

    fn headers(authorization: &str, date: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert("x-amz-date", date.parse().unwrap());
        headers
    }

    #[test]
    fn the_credential_scope_names_key_region_and_service() {
        let signature = Signature::read(&headers(SIGNED, "20260131T120000Z")).unwrap();
        assert_eq!(
            (
                &*signature.access_key,
                &*signature.region,
                &*signature.service
            ),
            ("AKIAEXAMPLE", "eu-west-1", "cloudtrail")
        );
        assert_eq!(
            signature.signed_at,
            humantime::parse_rfc3339("2026-01-31T12:00:00Z").ok()
        );
    }

    #[test]
    fn an_unsigned_or_half_signed_request_has_no_signature() {
        for authorization in [
            "Bearer x",
            "AWS4-HMAC-SHA256 Credential=AKIA/2026/eu-west-1",
            "AWS4-HMAC-SHA256",
        ] {
            assert_eq!(
                Signature::read(&headers(authorization, "x")),
                None,
                "{authorization}"
            );
        }
    }

    #[test]
    fn more_than_five_minutes_either_way_is_refused_in_the_words_of_aws() {
        let signature = Signature::read(&headers(SIGNED, "20260131T120000Z")).unwrap();
        let now = |text| humantime::parse_rfc3339(text).unwrap();
        assert_eq!(signature.skew(now("2026-01-31T12:04:59Z")), None);
        assert_eq!(
            signature.skew(now("2026-01-31T12:10:00Z")).unwrap(),
            "Signature expired: 20260131T120000Z is now earlier than 20260131T120500Z (20260131T121000Z - 5 min.)"
        );
        assert!(
            signature
                .skew(now("2026-01-31T11:50:00Z"))
                .unwrap()
                .starts_with("Signature not yet current")
        );
    }
}
