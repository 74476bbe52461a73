//! Checks `mfactl.yaml`.
//!
//! Not here: whether the break-glass accounts exist (`scope`).

use std::collections::BTreeSet;

use url::{Host, Url};
use uuid::Uuid;

use super::{Parsed, check_version, names};
use crate::finding::{Code, Finding, quoted};
use crate::id::{GroupId, UserId};
use crate::policy::file::{
    BrakesBlock, BreakGlassBlock, DEFAULT_MINIMUM, Day, EndpointsBlock, GuardBlock,
    GuardGroupBlock, LimitBlock, PhoneDeliveryBlock, ProjectFile,
};
use crate::policy::load::wording::suggestion;
use crate::policy::places::KeyPlaces;
use crate::policy::{
    Brakes, BreakGlass, CloudName, DeliveredBy, EndpointOverrides, GuardEntry, GuardGroup, Limit,
    Project, TenantRef,
};
use crate::source::{FileId, Located, Maybe, NonEmptyList, Origin};
use crate::tenant::delivery::Delivery;

const SANDBOX: &str = "sandbox";

/// Checks the file and adds the faults to `findings`. Returns `None` if its tenant, endpoints or phone
/// delivery are invalid.
pub(super) fn check(project: Parsed<ProjectFile>, findings: &mut Vec<Finding>) -> Option<Project> {
    let Parsed { file, content } = project;
    check_version(&content.version, file, findings);
    if content.policies.value.trim().is_empty() {
        findings.push(names::blank("`policies` names no folder", content.policies.origin(file)));
    }
    let mut report = |fault| findings.push(fault);
    let tenant = tenant(&content.tenant, file).map_err(&mut report).ok();
    let endpoints = match &content.endpoints {
        Maybe::Unmentioned => Some(None),
        Maybe::Said(block) => endpoints(block, file, findings).map(Some),
    };
    let places = places(&content, file);
    let break_glass = break_glass(content.break_glass, file, findings);
    let brakes = brakes(content.brakes, file, findings);
    let cloud = content.cloud.as_ref().map(|cloud| cloud.value).unwrap_or_default();
    let credential = content.credential.as_ref().map(|way| way.value).unwrap_or_default();
    let delivery =
        delivery(content.phone_delivery, cloud, file).map_err(|fault| findings.push(fault));
    let runs = super::runs::check(content.runs, file, findings);
    Some(Project {
        tenant: tenant?,
        cloud,
        credential,
        delivery: delivery.ok()?,
        break_glass,
        brakes,
        runs: runs?,
        compare_with: content
            .numbers
            .as_ref()
            .map(|one| one.compare_with.value)
            .unwrap_or_default(),
        quota_share: content.quota.as_ref().map_or(100, |quota| quota.share.value.0),
        disclose: content.disclose.as_ref().map(|level| level.value),
        endpoints: endpoints?,
        policies_outside: content.policies_outside.as_ref().is_some_and(|outside| outside.value),
        places,
    })
}

/// Returns the places of the keys that the file mentions.
fn places(content: &ProjectFile, file: FileId) -> KeyPlaces {
    fn place<T>(key: &Maybe<Located<T>>, file: FileId) -> Option<Origin> {
        key.as_ref().map(|key| key.origin(file))
    }
    let brakes = content.brakes.as_ref().map(|block| &block.value);
    let limit = |of: fn(&BrakesBlock) -> &Maybe<Located<LimitBlock>>| {
        brakes.and_then(|block| place(of(block), file))
    };
    KeyPlaces {
        tenant: Some(content.tenant.origin(file)),
        cloud: place(&content.cloud, file),
        credential: place(&content.credential, file),
        policies_outside: place(&content.policies_outside, file),
        minimum: place(&content.break_glass.value.minimum, file),
        brakes: place(&content.brakes, file),
        changed_users: limit(|block| &block.changed_users),
        weakened_users: limit(|block| &block.weakened_users),
        replaced_numbers: limit(|block| &block.replaced_numbers),
        delivery: place(&content.phone_delivery, file),
        keep_numbers: content.runs.as_ref().and_then(|runs| place(&runs.value.keep_numbers, file)),
        run_store: content.runs.as_ref().and_then(|runs| place(&runs.value.store, file)),
        keep_for: content.runs.as_ref().and_then(|runs| place(&runs.value.keep_for, file)),
        compare_with: content.numbers.as_ref().map(|one| one.compare_with.origin(file)),
        quota_share: content.quota.as_ref().map(|quota| quota.share.origin(file)),
        endpoints: content.endpoints.as_ref().map(|block| block.graph.origin(file)),
        disclose: place(&content.disclose, file),
    }
}

/// Reads the tenant. The word becomes part of addresses, so only a valid tenant is accepted.
fn tenant(word: &Located<String>, file: FileId) -> Result<TenantRef, Finding> {
    let text = word.value.as_str();
    let label = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let is_domain = text.contains('.') && text.len() <= 253 && text.split('.').all(label);
    match text {
        SANDBOX => Ok(TenantRef::Sandbox),
        _ if text.trim().is_empty() => {
            Err(names::blank("`tenant` has no value", word.origin(file)))
        }
        _ if is_domain || names::id(text).is_some() => Ok(TenantRef::Named(text.to_owned())),
        _ => Err(Finding::new(
            Code::UnknownValue,
            format!("{} is neither `{SANDBOX}` nor a tenant", quoted(text)),
        )
        .at(
            word.origin(file),
            suggestion(text, &[SANDBOX]).unwrap_or_else(|| "not a tenant".to_owned()),
        )
        .help(format!(
            "write `{SANDBOX}`, a tenant id, or a verified domain such as `contoso.com`"
        ))),
    }
}

fn endpoints(
    block: &EndpointsBlock,
    file: FileId,
    findings: &mut Vec<Finding>,
) -> Option<EndpointOverrides> {
    let mut url = |text| endpoint(text, file).map_err(|fault| findings.push(fault)).ok();
    let (graph, login) = (url(&block.graph), url(&block.login));
    Some(EndpointOverrides { graph: graph?, login: login? })
}

/// Until when texts and calls are delivered: as the file says, or else as Microsoft announced for the cloud.
fn delivery(
    block: Maybe<Located<PhoneDeliveryBlock>>,
    cloud: CloudName,
    file: FileId,
) -> Result<Delivery, Finding> {
    let announced =
        if cloud == CloudName::Global { Delivery::MICROSOFT } else { Delivery::UNENDING };
    let Maybe::Said(block) = block else { return Ok(announced) };
    let origin = block.origin(file);
    let PhoneDeliveryBlock { by, until, privileged_until } = block.value;
    if by.is_unmentioned() && until.is_unmentioned() && privileged_until.is_unmentioned() {
        return Err(names::blank("`phoneDelivery` has no keys", origin));
    }
    let day = |day: &Maybe<Located<Day>>| day.as_ref().map(|day| day.value.0);
    let by = by.as_ref().map(|by| by.value).unwrap_or_default();
    let announced = if by == DeliveredBy::OwnProvider { Delivery::UNENDING } else { announced };
    Ok(Delivery {
        ends: day(&until).or(announced.ends),
        privileged_ends: day(&privileged_until).or(announced.privileged_ends),
    })
}

/// Reads an endpoint. Tokens are sent to this host, so it must be this machine: a change to the file alone
/// must not send a secret elsewhere.
fn endpoint(text: &Located<String>, file: FileId) -> Result<Url, Finding> {
    let fault = |message: String, label: &str, help: &str| {
        Finding::new(Code::InvalidEndpoint, message).at(text.origin(file), label).help(help)
    };
    let word = quoted(&text.value);
    let url = Url::parse(&text.value).map_err(|_| {
        let help = "write it as `https://host` or `http://127.0.0.1:port`";
        fault(format!("{word} is not an address"), "not an address", help)
    })?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        _ if !bare || !url.has_host() => Err(fault(
            "an endpoint must name a host and nothing more".to_owned(),
            "not only a host",
            "remove user names, passwords, `?` and `#`",
        )),
        "https" | "http" if is_loopback(&url) => Ok(url),
        "https" | "http" => Err(fault(
            format!("{word} would send tokens to another machine"),
            "not this machine",
            "endpoints are for tests on `127.0.0.1` or `localhost`; to choose among Microsoft's hosts, set `cloud`",
        )),
        _ => {
            Err(fault(format!("{word} is not a web address"), "not http", "use `http` or `https`"))
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn brakes(block: Maybe<Located<BrakesBlock>>, file: FileId, findings: &mut Vec<Finding>) -> Brakes {
    let defaults = Brakes::default();
    let Maybe::Said(block) = block else { return defaults };
    let origin = block.origin(file);
    let BrakesBlock { changed_users, weakened_users, replaced_numbers } = block.value;
    if changed_users.is_unmentioned()
        && weakened_users.is_unmentioned()
        && replaced_numbers.is_unmentioned()
    {
        findings.push(names::blank("`brakes` has no keys", origin));
    }
    let mut limit = |block: Maybe<Located<LimitBlock>>, default: Limit| {
        let Maybe::Said(block) = block else { return default };
        let LimitBlock { percent, floor } = &block.value;
        if percent.is_unmentioned() && floor.is_unmentioned() {
            findings.push(names::blank("a brake has no limit", block.origin(file)));
        }
        Limit {
            percent: percent.as_ref().map_or(default.percent, |percent| percent.value.0),
            floor: floor.as_ref().map_or(default.floor, |floor| floor.value),
        }
    };
    Brakes {
        changed_users: limit(changed_users, defaults.changed_users),
        weakened_users: limit(weakened_users, defaults.weakened_users),
        replaced_numbers: limit(replaced_numbers, defaults.replaced_numbers),
    }
}

fn break_glass(
    block: Located<BreakGlassBlock>,
    file: FileId,
    findings: &mut Vec<Finding>,
) -> BreakGlass {
    let origin = block.origin(file);
    let block = block.value;
    let minimum = block.minimum.as_ref().map_or(DEFAULT_MINIMUM, |minimum| minimum.value);
    let users = block.users.as_ref().map_or(0, |list| list.0.len());
    let groups = block.groups.as_ref().map_or(0, |list| list.0.len());
    let entries = BreakGlass {
        users: guards(block.users, file, UserId::from_uuid, findings),
        groups: guard_groups(block.groups, file, findings),
        former: guards(block.former, file, UserId::from_uuid, findings),
        minimum,
        origin: Some(origin),
    };
    // Members of groups are counted in the tenant. Without groups, the file alone shows the number.
    let distinct = entries.users.iter().map(|user| user.id).collect::<BTreeSet<_>>().len();
    if groups == 0 && users == entries.users.len() && distinct < minimum as usize {
        findings.push(
            Finding::new(
                Code::BreakGlassMinimum,
                format!("fewer break-glass accounts than `minimum`: {distinct} of {minimum}"),
            )
            .at(origin, "names too few accounts")
            .help("name the accounts under `users`, or a group of them under `groups`"),
        );
    }
    entries
}

fn guard_groups(
    list: Maybe<NonEmptyList<Located<GuardGroupBlock>>>,
    file: FileId,
    findings: &mut Vec<Finding>,
) -> Vec<GuardGroup> {
    let mut groups = Vec::new();
    for group in list.into_option().map(|list| list.0).unwrap_or_default() {
        let origin = group.origin(file);
        let GuardGroupBlock { id, name, allow_empty } = group.value;
        let allow_empty = allow_empty.as_ref().is_some_and(|allowed| allowed.value);
        match guard(id, name, (file, origin), GroupId::from_uuid) {
            Ok(entry) => groups.push(GuardGroup { entry, allow_empty }),
            Err(fault) => findings.push(fault),
        }
    }
    groups
}

fn guard<Id>(
    text: Located<String>,
    name: Maybe<Located<String>>,
    (file, origin): (FileId, Origin),
    id: impl Fn(Uuid) -> Id,
) -> Result<GuardEntry<Id>, Finding> {
    let uuid = names::object_id(&text, file)?;
    Ok(GuardEntry { id: id(uuid), name: name.into_option().map(|name| name.value), origin })
}

pub(super) fn guards<Id>(
    list: Maybe<NonEmptyList<Located<GuardBlock>>>,
    file: FileId,
    id: impl Fn(Uuid) -> Id,
    findings: &mut Vec<Finding>,
) -> Vec<GuardEntry<Id>> {
    let mut entries = Vec::new();
    for entry in list.into_option().map(|list| list.0).unwrap_or_default() {
        let origin = entry.origin(file);
        match guard(entry.value.id, entry.value.name, (file, origin), &id) {
            Ok(entry) => entries.push(entry),
            Err(fault) => findings.push(fault),
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Sources, Span};

    fn at(text: &str) -> (Located<String>, FileId) {
        let file = Sources::default().add("mfactl.yaml", text);
        (Located { value: text.to_owned(), span: Span::default() }, file)
    }

    #[test]
    fn tenant_is_sandbox_an_id_or_a_domain() {
        let named = |text: &str| Some(TenantRef::Named(text.to_owned()));
        for (text, expected) in [
            ("sandbox", Some(TenantRef::Sandbox)),
            ("contoso.com", named("contoso.com")),
            ("contoso.onmicrosoft.com", named("contoso.onmicrosoft.com")),
            ("6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01", named("6c1f6a0e-3f52-4d0b-9d53-1f0c7e5a1b01")),
            ("Sandbox", None),
            ("contoso", None),
            ("contoso..com", None),
            ("contoso.com/../common", None),
            ("contoso.com?x", None),
            ("", None),
            (" ", None),
        ] {
            let (word, file) = at(text);
            assert_eq!(tenant(&word, file).ok(), expected, "{text}");
        }
    }

    #[test]
    fn endpoint_is_on_this_machine() {
        for (text, holds) in [
            ("https://127.0.0.1:8443", true),
            ("https://localhost/", true),
            ("http://127.0.0.1:8080", true),
            ("http://127.1.2.3", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("https://graph.microsoft.com", false),
            ("http://127.0.0.1.example.org", false),
            ("http://localhost.example.org", false),
            ("http://192.168.0.1", false),
            ("http://0.0.0.0:8080", false),
            ("http://[::]:8080", false),
            ("https://user@localhost", false),
            ("https://:secret@localhost", false),
            ("https://localhost?x", false),
            ("https://localhost#x", false),
            ("ftp://graph.microsoft.com", false),
            ("file:///etc/passwd", false),
            ("graph.microsoft.com", false),
            ("", false),
        ] {
            let (word, file) = at(text);
            assert_eq!(endpoint(&word, file).is_ok(), holds, "{text}");
        }
    }
}
