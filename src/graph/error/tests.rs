//! Errors made from answers, as they are shown.

use super::*;

const PATH: &str = "/beta/users/7b795fb9-09d3-42f4-a494-38864f99ba3c/authentication/methods";

#[test]
fn error_answer_is_shown_in_one_line() {
    let body = r#"{"error":{"code":"accessDenied","message":"Request Authorization failed.\nMore",
        "innerError":{"request-id":"3f2a91d0-0000-4000-8000-000000012345"}}}"#;
    let error = Error::from_answer(403, body.as_bytes(), &Method::GET, PATH);
    assert_eq!(
        error.to_string(),
        format!(
            "`GET {PATH}` returned 403 `accessDenied`: Request Authorization failed \
             (request-id 3f2a91d0-0000-4000-8000-000000012345)"
        )
    );
    assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(403)));
    assert_eq!(error.help(), None);
}

#[test]
fn phone_number_repeated_by_graph_is_not_shown() {
    let body = r#"{"error":{"code":"invalidRequest","message":
        "'+31 612345678' of 7b795fb9-09d3-42f4-a494-38864f99ba3c is not valid."}}"#;
    let error = Error::from_answer(400, body.as_bytes(), &Method::POST, PATH);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("12345"), "{shown}");
    assert!(shown.contains("of 7b795fb9-09d3-42f4-a494-38864f99ba3c is"), "{shown}");
}

#[test]
fn answer_without_a_graph_error_is_shown_by_its_status() {
    for body in ["", "<html>502</html>", "[]", r#"{"error":"x"}"#] {
        let error = Error::from_answer(502, body.as_bytes(), &Method::GET, "/v1.0/users?$x=1");
        assert_eq!(error.to_string(), "`GET /v1.0/users` returned 502");
        assert!(error.help().is_some());
    }
}

#[test]
fn error_is_as_small_as_a_pointer() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
}
