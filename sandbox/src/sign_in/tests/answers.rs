//! Steps 6 and 7: which phones a text or a call reaches.

use super::*;

// Step 6 and the end of step 7. Numbering plans according to libphonenumber.
#[test]
fn only_valid_numbers_answer_and_only_mobiles_take_texts() {
    let texts = policy("migrationComplete", json!([on("Sms")]));
    let calls = policy("migrationComplete", json!([voice(true)]));
    let numbers = [
        ("+31 612345678", Ok, Ok),
        ("+31 201234567", Blocked, Ok),
        ("+1 2065550123", Ok, Ok),
        ("+1 2065550123x42", Blocked, Ok),
        ("+39 0669812345", Blocked, Ok),
        ("0612345678", Blocked, Blocked),
        ("+31 61234567", Blocked, Blocked),
        ("+31 0031612345678", Blocked, Blocked),
        ("+XX XXXXXX78", Blocked, Blocked),
        ("", Blocked, Blocked),
    ];
    for (policy, wanted) in [(texts, 1), (calls, 2)] {
        check(numbers.map(|row| {
            let case = Case {
                methods: json!([phone("mobile", row.0)]),
                policy: policy.clone(),
                ..Case::new()
            };
            (row.0, case, if wanted == 1 { row.1 } else { row.2 })
        }));
    }
    check([(
        "another method and a bad number",
        Case {
            methods: json!([phone("mobile", "+31 61234567"), method("softwareOath")]),
            ..Case::new()
        },
        Ok,
    )]);
}

// Step 7. Entra docs: `concept-sms-voice-retirement` of 2026-06-10 and its FAQ of 2026-09-23.
#[test]
fn phones_stop_answering_on_the_retirement_date() {
    let external = "v.sanders_contoso.com#EXT#@exchangelabs.onmicrosoft.com";
    let case = |on: Date, methods: Value, upn: &str, role: Option<&str>| {
        let mut case = Case { on, methods, ..Case::new() };
        case.user["userPrincipalName"] = json!(upn);
        case.user["userType"] =
            json!(if upn.contains("guest") || upn.contains('#') { "Guest" } else { "Member" });
        case.roles = role.map_or_else(
            || json!([]),
            |role| json!([{"principalId": GROUP, "roleDefinitionId": role}]),
        );
        case
    };
    let mobile = json!([phone("mobile", "+31 612345678")]);
    let both = json!([phone("mobile", "+31 612345678"), method("fido2")]);
    let wrong = json!([phone("mobile", "+31 61234567")]);
    let member = "j.brown@exchangelabs.nl";
    let (last, first) = (date(2027, 1, 31), date(2027, 2, 1));
    let (later_last, later_first) = (date(2027, 6, 30), date(2027, 7, 1));
    check([
        ("last day", case(last, mobile.clone(), member, None), Ok),
        ("first day without delivery", case(first, mobile.clone(), member, None), MustRegister),
        ("another method", case(first, both, member, None), Ok),
        ("a number that never answered", case(first, wrong, member, None), MustRegister),
        ("another role", case(first, mobile.clone(), member, Some(HELPDESK)), MustRegister),
        (
            "global administrator",
            case(later_last, mobile.clone(), member, Some(GLOBAL_ADMINISTRATOR)),
            Ok,
        ),
        (
            "global administrator later",
            case(later_first, mobile.clone(), member, Some(GLOBAL_ADMINISTRATOR)),
            MustRegister,
        ),
        ("visitor", case(later_last, mobile.clone(), external, None), Ok),
        ("visitor later", case(later_first, mobile.clone(), external, None), MustRegister),
        ("internal guest", case(first, mobile, "guest@exchangelabs.nl", None), MustRegister),
    ]);
}
