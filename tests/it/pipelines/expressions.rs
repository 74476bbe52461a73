//! The expressions `${{ … }}` of GitHub Actions, as far as the workflows use them. Any other one fails the test,
//! because the test would not do what the runner does.

use serde_json::{Value, json};

/// The values by name: `github`, `inputs`, `env` and so on.
pub(super) type Context = serde_json::Map<String, Value>;

/// Replaces each expression in a text.
pub(super) fn resolved(text: &str, context: &Context) -> String {
    let mut pieces = text.split("${{");
    let mut done = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (expression, rest) = piece.split_once("}}").unwrap();
        done += &shown(&value(expression, context));
        done += rest;
    }
    done
}

/// Whether the condition of a job or a step holds.
pub(super) fn holds(condition: &str, context: &Context) -> bool {
    let inner = condition.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    match value(inner.unwrap_or(condition), context) {
        Value::Bool(holds) => holds,
        Value::String(text) => !text.is_empty(),
        Value::Null => false,
        other => panic!("`{condition}` is {other}"),
    }
}

/// The value as text.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn value(expression: &str, context: &Context) -> Value {
    let mut rest = expression.trim();
    let value = both(&mut rest, context);
    assert!(rest.trim().is_empty(), "`{expression}` ends with `{rest}`");
    value
}

fn both(rest: &mut &str, context: &Context) -> Value {
    let mut left = compared(rest, context);
    while take(rest, "&&") {
        let right = compared(rest, context);
        let (Value::Bool(one), Value::Bool(other)) = (&left, &right) else {
            panic!("`&&` of {left} and {right}");
        };
        left = json!(*one && *other);
    }
    left
}

fn compared(rest: &mut &str, context: &Context) -> Value {
    let left = term(rest, context);
    if !take(rest, "==") {
        return left;
    }
    let right = term(rest, context);
    // GitHub compares texts without their case.
    json!(shown(&left).eq_ignore_ascii_case(&shown(&right)))
}

fn term(rest: &mut &str, context: &Context) -> Value {
    *rest = rest.trim_start();
    if let Some(text) = rest.strip_prefix('\'') {
        let (text, after) = text.split_once('\'').unwrap();
        *rest = after;
        return json!(text);
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c));
    let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
    assert!(!name.is_empty(), "`{rest}` is no expression that is known here");
    *rest = after;
    if name == "format" {
        assert!(take(rest, "("), "{rest}");
        let mut text = shown(&both(rest, context));
        let mut number = 0;
        while take(rest, ",") {
            text = text.replace(&format!("{{{number}}}"), &shown(&both(rest, context)));
            number += 1;
        }
        assert!(take(rest, ")"), "{rest}");
        return json!(text);
    }
    let mut parts = name.split('.');
    let root = parts.next().unwrap();
    let root = context.get(root).unwrap_or_else(|| panic!("`{name}`: `{root}` is unknown here"));
    parts.fold(root.clone(), |value, part| value.get(part).cloned().unwrap_or_default())
}

fn take(rest: &mut &str, sign: &str) -> bool {
    let found = rest.trim_start().strip_prefix(sign);
    *rest = found.unwrap_or(rest);
    found.is_some()
}

#[test]
fn expressions_have_the_values_of_the_runner() {
    let context =
        json!({ "github": { "ref": "refs/heads/main" }, "steps": { "plan": { "outputs": {} } } });
    let Value::Object(context) = context else { panic!("a map") };
    let main = "github.ref == format('refs/heads/{0}', 'main')";
    assert!(holds(main, &context) && holds(&format!("{main} && 'a' == 'A'"), &context));
    assert!(!holds("steps.plan.outputs.changes == 'true'", &context));
    assert_eq!(
        resolved("on ${{ github.ref }}, ${{ github.none }}.", &context),
        "on refs/heads/main, ."
    );
    let unknown = std::panic::catch_unwind(|| holds("always()", &Context::new()));
    assert!(unknown.is_err());
}
