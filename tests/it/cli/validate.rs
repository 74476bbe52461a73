//! `mfactl validate` in the formats of reviewers.
//!
//! Not here: which faults there are (`samples`), or hostile text in each format (`render::findings`).

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;

use serde_json::{Value, json};

use crate::sandbox::sdks::{run, workshop};
use crate::support::world::{JAMES_AND_JANE, PROJECT, Run, World};

const FORMATS: [&str; 6] = ["json", "github", "sarif", "codeclimate", "azure", "junit"];

/// A repository whose project is in a folder, with two faults in one of two policy files.
fn faulty() -> World {
    let broken = JAMES_AND_JANE.replace("perUserMfa: enabled", "perUserMFA: enabled");
    let twice = JAMES_AND_JANE.replace("staff", "pilot").replace("version: 1\n", "");
    repository().file("prod/policies/a staff.yaml", broken).file("prod/policies/b.yaml", twice)
}

fn repository() -> World {
    World::empty()
        .file(".git/HEAD", "ref: refs/heads/main\n")
        .file("prod/mfactl.yaml", PROJECT)
        .file("prod/policies/c.yaml", JAMES_AND_JANE.replace("staff", "others"))
}

fn validate(world: &World, format: &str) -> Run {
    world.run(&["validate", "--config", "prod/mfactl.yaml", "--format", format])
}

fn json_of(world: &World, format: &str, code: i32) -> Value {
    serde_json::from_str(&validate(world, format).ends(code).stdout).expect("JSON")
}

#[test]
fn every_format_has_the_errors_and_the_log_has_the_text() {
    let world = faulty();
    let text = validate(&world, "text").ends(3);
    assert_eq!(text.stdout, "");
    for format in FORMATS {
        let run = validate(&world, format).ends(3);
        assert_eq!(run.stderr, text.stderr, "{format}");
        for word in ["unknown-key", "missing-key", "prod/policies/b.yaml"] {
            assert!(run.stdout.contains(word), "{format} names {word}: {}", run.text());
        }
    }
}

#[test]
fn every_format_without_errors_is_an_empty_document() {
    let world = repository();
    for (format, expected) in [("github", ""), ("azure", ""), ("codeclimate", "[]\n")] {
        let run = validate(&world, format).ends(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (expected, ""), "{format}");
    }
    let document = json_of(&world, "json", 0);
    assert_eq!(document["counts"], json!({ "errors": 0, "warnings": 0, "notes": 0 }));
    assert_eq!(document["files"], json!(["prod/mfactl.yaml", "prod/policies/c.yaml"]));
    assert_eq!(json_of(&world, "sarif", 0)["runs"][0]["results"], json!([]));
    let junit = validate(&world, "junit").ends(0).stdout;
    assert!(junit.contains("tests=\"2\" failures=\"0\""), "{junit}");
}

#[test]
fn annotation_names_file_line_and_column_in_the_repository() {
    let world = faulty();
    let github = validate(&world, "github").stdout;
    let expected = "::error file=prod/policies/a staff.yaml,line=9,endLine=9,col=7,endColumn=17,title=unknown-key::";
    assert!(github.lines().any(|line| line.starts_with(expected)), "{github}");
    let azure = validate(&world, "azure").stdout;
    let expected = "##vso[task.logissue type=error;sourcepath=prod/policies/a staff.yaml;linenumber=9;columnnumber=7;code=unknown-key]";
    assert!(azure.lines().any(|line| line.starts_with(expected)), "{azure}");
}

/// The place does not depend on the working folder or on how the project file is named.
#[test]
fn path_is_relative_to_the_repository_from_every_folder() {
    let world = faulty();
    let expected = validate(&world, "github").stdout;
    let absolute = world.path("prod/mfactl.yaml").display().to_string();
    let ways =
        [("", absolute.as_str()), ("prod", "mfactl.yaml"), ("prod/policies", "../mfactl.yaml")];
    for (folder, config) in ways {
        let mut command = world.command(&["validate", "--format", "github", "--config", config]);
        let output = command.current_dir(world.path(folder)).output().expect("the program");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{folder} {config}");
    }
}

#[test]
fn error_without_a_file_is_in_every_format() {
    for format in FORMATS {
        let run = World::empty().run(&["validate", "--format", format]).ends(3);
        assert!(run.stdout.contains("file-unreadable"), "{format}: {}", run.text());
    }
}

#[test]
fn json_matches_its_schema() {
    let schema = World::empty().run(&["schema", "validate"]).ends(0).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::draft7::new(&schema).expect("a schema");
    let mut document = json_of(&faulty(), "json", 3);
    assert!(validator.is_valid(&json_of(&repository(), "json", 0)));
    assert!(validator.is_valid(&document), "{document:#}");
    let found = &document["findings"][0];
    assert_eq!(found["place"]["file"], "prod/policies/a staff.yaml");
    assert_eq!(found["rule"], "policies/staff/desired/perUserMFA");
    document["findings"][0]["place"]["line"] = json!("9");
    assert!(!validator.is_valid(&document), "the schema covers the place");
}

/// What a reader of SARIF and of Code Quality requires, without their schemas.
#[test]
fn sarif_and_code_quality_have_what_their_readers_require() {
    let log = json_of(&faulty(), "sarif", 3);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index"));
        assert_eq!(rules[index.expect("an index")]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert!(
            ["prod/policies/a%20staff.yaml", "prod/policies/b.yaml"]
                .contains(&place.as_str().expect("a path"))
        );
        assert_eq!(result["partialFingerprints"].as_object().expect("one").len(), 1);
    }
    let issues = json_of(&faulty(), "codeclimate", 3);
    for issue in issues.as_array().expect("issues") {
        for key in ["description", "check_name", "fingerprint", "severity"] {
            assert!(issue[key].is_string(), "{issue}");
        }
        assert!(issue["location"]["lines"]["begin"].is_u64(), "{issue}");
    }
}

#[test]
#[ignore = "long: installs the schema of SARIF"]
fn published_schema_accepts_sarif_and_an_xml_reader_accepts_junit() {
    let folder = workshop("sarif");
    run(&folder, "npm", &["ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"]);
    let path = "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json";
    let schema = fs::read_to_string(folder.join(path)).expect("a schema");
    // A pattern in the schema has one bracket too many, so it is no regular expression.
    let schema = schema.replace("{2}]?$", "{2}$");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::draft4::new(&schema).expect("a schema");
    let parse =
        "import sys, xml.etree.ElementTree as e; print(len(list(e.parse(sys.argv[1]).iter())))";
    for (world, code, elements) in [(repository(), 0, "4\n"), (faulty(), 3, "8\n")] {
        let log = json_of(&world, "sarif", code);
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let mut wrong = log;
        wrong["runs"][0]["results"] = json!([{ "level": "fatal" }]);
        assert!(!validator.is_valid(&wrong), "the schema covers results");
        fs::write(folder.join("junit.xml"), validate(&world, "junit").stdout).expect("a file");
        assert_eq!(run(&folder, "python3", &["-c", parse, "junit.xml"]), elements);
    }
}
