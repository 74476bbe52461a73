//! Checks the objects of the tenant that a policy file manages.
//!
//! Not here: the shape of `tenant` (`file::tenant`), or what an object is (`resources`).

use crate::finding::{Code, Finding, quoted};
use crate::policy::file::TenantBlock;
use crate::policy::objects::ObjectRules;
use crate::resources::ObjectKind;
use crate::source::{FileId, Located, Origin};

/// Adds the objects of one file. An object has one entry in all files.
pub(super) fn check(
    file: FileId,
    block: &Located<TenantBlock>,
    objects: &mut ObjectRules,
    findings: &mut Vec<Finding>,
) {
    let TenantBlock { security_defaults } = &block.value;
    let Some(entry) = security_defaults.as_ref() else {
        findings.push(empty(block.origin(file)));
        return;
    };
    let (object, origin) = (ObjectKind::SecurityDefaults, entry.origin(file));
    if let Err(first) = objects.add(object, entry.value.wanted(), origin) {
        findings.push(duplicate(object, origin, first));
    }
}

fn empty(origin: Origin) -> Finding {
    Finding::new(Code::EmptyKey, "`tenant` has no entries")
        .at(origin, "no object")
        .help("add an object, such as `securityDefaults: on`, or remove the key")
}

fn duplicate(object: ObjectKind, second: Origin, first: Origin) -> Finding {
    let message = format!("two files manage {}", quoted(object.key()));
    Finding::new(Code::DuplicateObject, message)
        .at(second, "the second")
        .at(first, "the first")
        .help("keep one of them")
}
