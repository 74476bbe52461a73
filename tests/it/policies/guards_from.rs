//! `--guards-from`: policies that are not trusted, under the `mfactl.yaml` of a folder that is.
//!
//! Not here: files that no command reads (`loading::hostile`), or a fork in a pipeline (`pipelines`).

use std::fs;
use std::os::unix::fs::symlink;

use crate::plan::against::git;
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{JAMES_AND_JANE, PROJECT, Run, World};

const FROM: [&str; 4] = ["--config", "head/mfactl.yaml", "--guards-from", "base"];

/// A trusted folder, and a copy of it that another user can change.
fn copies() -> World {
    World::empty()
        .file("base/mfactl.yaml", PROJECT)
        .file("base/policies/staff.yaml", JAMES_AND_JANE)
        .file("head/mfactl.yaml", PROJECT)
        .file("head/policies/staff.yaml", JAMES_AND_JANE)
}

fn validate(world: &World) -> Run {
    world.run(&[&["validate"], &FROM[..]].concat())
}

fn refused(world: &World, words: &[&str]) {
    let run = validate(world).ends(3);
    for word in words {
        assert!(run.stderr.contains(word), "{word}: {}", run.text());
    }
}

#[test]
fn same_project_file_in_other_words_is_accepted() {
    let world = copies();
    let run = validate(&world).ends(0);
    assert_eq!(run.stdout, "1 policy in 2 files: no errors\n");
    let spelled = PROJECT.replace("percent: 100, floor: 0", "floor: 0, percent: 100");
    let spelled = format!("# a comment\ncloud: global\n{spelled}");
    validate(&world.file("head/mfactl.yaml", spelled)).ends(0);
}

#[test]
fn each_key_that_differs_is_named_at_its_line() {
    let changes = [
        ("tenant: exchangelabs.nl", "tenant: contoso.com", "`tenant`", "head/mfactl.yaml:2"),
        ("minimum: 0", "minimum: 1", "`breakGlass`", "head/mfactl.yaml:4"),
        ("percent: 100", "percent: 99", "`brakes`", "head/mfactl.yaml:8"),
        ("policies: policies", "policies: other", "`policies`", "head/mfactl.yaml:3"),
    ];
    for (from, to, key, place) in changes {
        let mut text = PROJECT.replacen(from, to, 1);
        if text == PROJECT {
            text = PROJECT.replace("brakes:", "  minimum: 1\nbrakes:");
        }
        let world = copies().file("head/mfactl.yaml", text);
        let words = ["guards-differ", key, "differs from `base/mfactl.yaml`", place];
        refused(&world.file("head/other/staff.yaml", JAMES_AND_JANE), &words);
    }
    let more = "cloud: usGov\ncredential: azureCli\npoliciesOutside: true\nruns: { keepNumbers: false }\nnumbers: { compareWith: everyone }\nquota: { share: 50 }\ndisclose: names\nphoneDelivery: { by: ownProvider }\nendpoints: { graph: \"http://127.0.0.1:1\", login: \"http://127.0.0.1:1\" }\n";
    let world = copies().file("head/mfactl.yaml", format!("{PROJECT}{more}"));
    let run = validate(&world).ends(3);
    for key in more.lines().filter_map(|line| line.split(':').next()) {
        assert!(run.stderr.contains(&format!("`{key}` differs")), "{key}: {}", run.text());
    }
}

#[test]
fn key_that_only_the_trusted_file_has_is_named_there() {
    let world = copies().file("base/mfactl.yaml", format!("{PROJECT}disclose: counts\n"));
    refused(&world, &["`disclose` differs", "base/mfactl.yaml:12"]);
}

#[test]
fn project_file_that_is_missing_or_invalid_is_refused() {
    let world = copies();
    fs::remove_file(world.path("head/mfactl.yaml")).unwrap();
    refused(&world, &["`head/mfactl.yaml` does not exist"]);
    refused(&world.file("head/mfactl.yaml", "version: 1\nguards: none\n"), &["unknown-key"]);
    let world = copies();
    fs::remove_file(world.path("base/mfactl.yaml")).unwrap();
    refused(&world, &["`base/mfactl.yaml` does not exist"]);
}

#[test]
fn links_large_files_and_folders_elsewhere_are_refused() {
    let link = |from: &str, to: &str| {
        let world = copies().file("head/real/staff.yaml", JAMES_AND_JANE.replace("staff", "two"));
        let to = world.path(to);
        if to.is_dir() {
            fs::remove_dir_all(&to).unwrap();
        } else if to.is_file() {
            fs::remove_file(&to).unwrap();
        }
        symlink(from, to).unwrap();
        world
    };
    let is_link = ["file-outside", "is a link"];
    refused(&link("../real/staff.yaml", "head/policies/two.yaml"), &is_link);
    refused(&link("../real", "head/policies/more"), &is_link);
    refused(&link("real", "head/policies"), &is_link);
    refused(&link("../base/mfactl.yaml", "head/mfactl.yaml"), &is_link);

    let large = format!("{JAMES_AND_JANE}{}", "# a line of eighty characters\n".repeat(40_000));
    refused(&copies().file("head/policies/staff.yaml", large), &["is larger than 1 MiB"]);

    let outside = PROJECT.replace("policies: policies", "policies: ../elsewhere");
    let outside = format!("{outside}policiesOutside: true\n");
    let world = copies().file("base/mfactl.yaml", &outside).file("head/mfactl.yaml", &outside);
    refused(&world.file("elsewhere/staff.yaml", JAMES_AND_JANE), &["is outside the repository"]);
}

/// A fork can give any commit the name of a branch.
#[test]
fn revision_is_one_of_the_trusted_repository() {
    let world = copies().with("PATH", std::env::var("PATH").unwrap());
    let in_folder = |folder: &str, arguments: &[&str]| {
        git(&world, &[&["-C", folder], arguments].concat());
    };
    for folder in ["base", "head"] {
        in_folder(folder, &["init", "--quiet"]);
        in_folder(folder, &["add", "."]);
        in_folder(folder, &["commit", "--quiet", "--message", folder]);
    }
    in_folder("base", &["tag", "reviewed"]);
    let known = [&["validate"], &FROM[..], &["--against", "reviewed"]].concat();
    world.run(&known).ends(0);
    in_folder("head", &["tag", "proposed"]);
    let run = world.run(&[&["validate"], &FROM[..], &["--against", "proposed"]].concat()).ends(1);
    assert!(run.stderr.contains("proposed"), "{}", run.text());
}

/// The trusted folder decides, and so does what an earlier run left there.
#[test]
fn plan_and_report_are_made_under_the_trusted_file() {
    let tenant = exchangelabs().world();
    let project = tenant.project(PROJECT);
    let world = tenant
        .file("base/mfactl.yaml", format!("{project}disclose: counts\n"))
        .file("head/mfactl.yaml", format!("disclose: counts\n{project}"))
        .file("head/policies/staff.yaml", JAMES_AND_JANE);
    let plan = world.run(&[&["plan"], &FROM[..]].concat()).ends(0);
    assert!(!plan.stdout.contains('@') && plan.stdout.contains("staff"), "{}", plan.text());
    world.run(&[&["report"], &FROM[..]].concat()).ends(0);
    let raised = world.file("head/mfactl.yaml", format!("disclose: names\n{project}"));
    for command in ["plan", "report"] {
        let run = raised.run(&[&[command], &FROM[..]].concat()).ends(3);
        assert!(run.stderr.contains("`disclose` differs"), "{}", run.text());
    }
    // Such a plan cannot be applied, so it is not saved.
    for more in [["--out", "x.plan"], ["--approval", "x.json"]] {
        raised.run(&[&["plan"], &FROM[..], &more[..]].concat()).ends(1);
    }
}
