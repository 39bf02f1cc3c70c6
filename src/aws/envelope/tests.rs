use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::*;

fn asked(url: &str, header: (&'static str, &'static str), body: &'static str) -> Envelope {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_uri(url).expect("a URL");
    request.headers_mut().insert(header.0, header.1);
    Envelope::of(&request)
}

fn json_of(url: &str) -> Envelope {
    asked(
        url,
        ("x-amz-target", "CloudTrail_20131101.DescribeTrails"),
        "{}",
    )
}

fn aws() -> Envelope {
    json_of("https://cloudtrail.eu-west-1.amazonaws.com/")
}

fn emulator() -> Envelope {
    json_of("http://127.0.0.1:4000/")
}

fn head(
    envelope: &Envelope,
    status: u16,
    headers: &[(&'static str, &'static str)],
) -> Result<(), BadReply> {
    let status = StatusCode::try_from(status).expect("a status");
    let mut answer = HttpResponse::new(status, SdkBody::empty());
    for (name, value) in headers {
        answer.headers_mut().insert(*name, *value);
    }
    envelope.check_head(&answer)
}

#[test]
fn only_200_is_an_answer() {
    assert_eq!(head(&aws(), 200, &[]), Ok(()));
    for status in [201, 202, 203, 204, 205, 206, 207, 226, 299] {
        assert_eq!(head(&aws(), status, &[]), Err(BadReply::Status(status)));
    }
}

#[test]
fn html_is_an_answer_of_an_emulator_only() {
    for kind in [
        "text/html",
        "TEXT/HTML; charset=utf-8",
        "text/html;charset=utf-8",
    ] {
        let kind = [("content-type", kind)];
        assert_eq!(head(&aws(), 200, &kind), Err(BadReply::Html));
        assert_eq!(head(&emulator(), 200, &kind), Ok(()));
    }
    for kind in ["application/x-amz-json-1.1", "text/xml", "text/htmlx", ""] {
        assert_eq!(head(&aws(), 200, &[("content-type", kind)]), Ok(()));
    }
}

#[test]
fn the_endpoints_of_every_partition_are_known() {
    for url in [
        "https://cloudtrail.us-east-1.amazonaws.com/",
        "https://sts.us-gov-west-1.amazonaws.com:443/?x=1",
        "https://cloudtrail-fips.us-east-1.api.aws",
        "https://organizations.cn-northwest-1.amazonaws.com.cn/",
        "https://sts.us-iso-east-1.c2s.ic.gov/",
        "https://sts.eusc-de-east-1.amazonaws.eu/",
    ] {
        assert!(is_of_aws(url), "{url}");
    }
    for url in [
        "http://127.0.0.1:4000/",
        "http://localhost/amazonaws.com/",
        "https://amazonaws.com.example.org/",
        "https://notamazonaws.com/",
        "",
    ] {
        assert!(!is_of_aws(url), "{url}");
    }
}

#[test]
fn a_content_encoding_is_no_answer() {
    for encoding in ["gzip", "br", "deflate", "gzip, identity", "aws-chunked"] {
        let encoding = [("content-encoding", encoding)];
        assert_eq!(head(&aws(), 200, &encoding), Err(BadReply::Encoded));
    }
    assert_eq!(
        head(&aws(), 200, &[("content-encoding", "Identity")]),
        Ok(())
    );
}

#[test]
fn what_is_no_service_of_ours_is_left_to_the_sdk() {
    let metadata = asked("http://169.254.169.254/latest", ("accept", "*/*"), "");
    assert_eq!(
        head(&metadata, 201, &[("content-type", "text/html")]),
        Ok(())
    );
    assert_eq!(metadata.check_body("", b"\xff any text"), Ok(()));
}

#[test]
fn a_form_is_answered_by_a_document_of_its_operation() {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let sts = asked(
        "http://sts/",
        form,
        "Action=GetCallerIdentity&Version=2011-06-15",
    );
    assert_eq!(sts.check_body("", b"<GetCallerIdentityResponse/>"), Ok(()));
    let other = sts.check_body("", b"<AssumeRoleResponse/>");
    assert_eq!(other, Err(BadReply::NotADocument));
}

#[test]
fn another_charset_matters_only_where_a_text_needs_one() {
    let check = |kind: &str, body: &str| aws().check_body(kind, body.as_bytes());
    let latin = "application/json; charset=ISO-8859-1";
    assert_eq!(check(latin, r#"{"Name":"audit"}"#), Ok(()));
    assert_eq!(check(latin, r#"{"Name":"prüf"}"#), Err(BadReply::NotUtf8));
    for kind in ["", "application/json", "text/xml; Charset=\"UTF-8\""] {
        assert_eq!(check(kind, r#"{"Name":"prüf"}"#), Ok(()), "{kind}");
    }
}

#[test]
fn one_object_and_nothing_else_is_an_answer() {
    for body in [
        "{}",
        " \n{\"trailList\":[]}\r\n\t ",
        r#"{"trailList":[{"Name":null}]}"#,
        r#"{"trailList":["null"]}"#,
        r#"{"trailList":null}"#,
        r#"{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}],"A":0}"#,
        r#"{"a":"a","b":-0.5e3,"c":1e308,"d":18446744073709551616,"e":"\ud83d\ude00"}"#,
    ] {
        assert_eq!(check_json(body.as_bytes()), Ok(()), "{body}");
    }
    for body in [
        "",
        " ",
        "null",
        "[]",
        "[{}]",
        "\"{}\"",
        "1",
        "{",
        "{}{}",
        "{} {}",
        "{}garbage",
        "{}\0",
        "{},",
        "\u{feff}{}",
        "{'a':1}",
        "{a:1}",
        r#"{"a":1,}"#,
        r#"{"a":01}"#,
        r#"{"a":NaN}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\ud800"}"#,
        "{\"a\":\"\t\"}",
        "{}/* */",
        "<html/>",
    ] {
        let checked = check_json(body.as_bytes());
        assert_eq!(checked, Err(BadReply::NotAnObject), "{body}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_no_answer() {
    for body in [
        &b"{\"a\":\"\xff\"}"[..],
        b"{\"\xc3\x28\":1}",
        b"\xff\xfe{\x00}\x00",
        b"\x1f\x8b\x08",
    ] {
        assert_eq!(check_json(body), Err(BadReply::NotUtf8));
        assert_eq!(check_xml(body, "a"), Err(BadReply::NotUtf8));
    }
}

#[test]
fn a_key_written_twice_in_one_object_is_no_answer() {
    for body in [
        r#"{"IsLogging":false,"IsLogging":true}"#,
        r#"{"IsLogging":true,"IsLogging":true}"#,
        r#"{"IsLogging":false,"\u0049sLogging":true}"#,
        r#"{"\u0049sLogging":false,"I\u0073Logging":true}"#,
        r#"{"trailList":[],"x":1,"trailList":[]}"#,
        r#"{"trailList":[{"Name":"a"},{"Name":"b","Name":"c"}]}"#,
        r#"{"a":{"b":[[{"c":{"d":1,"d":2}}]]}}"#,
        r#"{"":1,"":2}"#,
    ] {
        assert_eq!(
            check_json(body.as_bytes()),
            Err(BadReply::Doubled),
            "{body}"
        );
    }
}

#[test]
fn a_key_is_found_twice_among_a_hundred_thousand() {
    let many = |last: usize| {
        let keys = (0..100_000).chain([last]);
        let keys: Vec<_> = keys.map(|key| format!("\"{key}\":0")).collect();
        check_json(format!("{{{}}}", keys.join(",")).as_bytes())
    };
    assert_eq!(many(100_000), Ok(()));
    for last in [0, 31, 32, 99_999] {
        assert_eq!(many(last), Err(BadReply::Doubled), "{last}");
    }
}

#[test]
fn null_in_a_list_is_found_at_any_depth() {
    for body in [
        r#"{"trailList":[null]}"#,
        r#"{"trailList":[{"Name":"a"},null]}"#,
        r#"{"a":{"b":[{"c":[1,null]}]}}"#,
    ] {
        let checked = check_json(body.as_bytes());
        assert_eq!(checked, Err(BadReply::NullInList), "{body}");
    }
}

#[test]
fn nesting_without_end_is_refused_and_not_followed() {
    let deep = format!("{}{}", r#"{"a":"#.repeat(16_000), "}".repeat(16_000));
    assert_eq!(check_json(deep.as_bytes()), Err(BadReply::NotAnObject));
    let lists = format!("{{\"a\":{}", "[".repeat(1_000_000));
    assert_eq!(check_json(lists.as_bytes()), Err(BadReply::NotAnObject));
    let deep = format!("<a>{}{}</a>", "<b>".repeat(100_000), "</b>".repeat(100_000));
    assert_eq!(check_xml(deep.as_bytes(), "a"), Err(BadReply::NotADocument));
}

const RESULT: &str = "<AssumedRoleUser><Arn>a</Arn></AssumedRoleUser><PackedPolicySize>6\
     </PackedPolicySize>";

fn document(inner: &str) -> Result<(), BadReply> {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleResult>{inner}</AssumeRoleResult>\n <ResponseMetadata><RequestId>1</RequestId>\
         </ResponseMetadata></AssumeRoleResponse>\n"
    );
    check_xml(body.as_bytes(), "AssumeRoleResponse")
}

#[test]
fn one_document_of_the_operation_is_an_answer() {
    assert_eq!(document(RESULT), Ok(()));
    assert_eq!(document(""), Ok(()));
    assert_eq!(document("<a> </a>\n<b>&lt;x&gt;</b>"), Ok(()));
    assert_eq!(
        document("<l><member>1</member><member>2</member></l>"),
        Ok(())
    );
    let declared = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a/>";
    assert_eq!(check_xml(declared, "a"), Ok(()));
    for body in [
        "",
        "text",
        "<b/>",
        "<A/>",
        "<a/><a/>",
        "<a/>garbage",
        "garbage<a/>",
        "<a>",
        "<a></b>",
        "<a x='1' x='2'/>",
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<a>&unknown;</a>",
        "{}",
    ] {
        let checked = check_xml(body.as_bytes(), "a");
        assert_eq!(checked, Err(BadReply::NotADocument), "{body}");
    }
}

#[test]
fn an_element_written_twice_is_no_answer() {
    for inner in [
        format!("{RESULT}<AssumedRoleUser><Arn>b</Arn></AssumedRoleUser>"),
        "<AssumedRoleUser><Arn>a</Arn><Arn>b</Arn></AssumedRoleUser>".to_owned(),
        "<Arn>a</Arn><Arn/>".to_owned(),
        "<x:Arn xmlns:x='y'>a</x:Arn><Arn>b</Arn>".to_owned(),
        "</AssumeRoleResult><AssumeRoleResult>".to_owned(),
    ] {
        assert_eq!(document(&inner), Err(BadReply::Doubled), "{inner}");
    }
}

#[test]
fn a_text_in_parts_is_no_answer() {
    for inner in [
        "<Account>0123<!-- -->45678901</Account>",
        "<Account>0123<?x?>45678901</Account>",
        "<Account>0123<x/>45678901</Account>",
        "text <Account>012345678901</Account>",
    ] {
        assert_eq!(document(inner), Err(BadReply::NotADocument), "{inner}");
    }
}
