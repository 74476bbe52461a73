//! What an approval is bound to: the meaning of the files, the rules of the tenant and the break-glass accounts.
//! Values are held as keyed digests, and so are the names of policies. The keys of `mfactl.yaml` and of objects are
//! readable.
//!
//! Not here: the tenant, the age and the seal of an approval (`run::approved`).

use std::collections::BTreeMap;
use std::fmt;

use super::digest::{ApprovalDigest, ApprovalKey};
use crate::finding::quoted;
use crate::plan::Plan;

/// The digests of what an approval is bound to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalBasis {
    /// For each policy, by the digest of its name.
    policies: BTreeMap<String, ApprovalDigest>,
    /// For each key of `mfactl.yaml`.
    project: BTreeMap<String, ApprovalDigest>,
    /// For each object of the tenant that the files mention.
    objects: BTreeMap<String, ApprovalDigest>,
    rules: ApprovalDigest,
    break_glass: ApprovalDigest,
}

/// What differs from the basis of an approval, so that nothing of it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedBasis {
    /// Policies that are new or changed, and how many are gone.
    Policies {
        named: Vec<String>,
        gone: usize,
    },
    /// Keys of `mfactl.yaml`.
    Project(Vec<String>),
    /// Objects of the tenant in the files.
    Objects(Vec<String>),
    /// The rules of the tenant.
    Rules,
    BreakGlass,
}

impl ApprovalBasis {
    pub(super) fn of(plan: &Plan, key: &ApprovalKey) -> Self {
        let digests = |kind: &str, all: &BTreeMap<String, String>| -> BTreeMap<_, _> {
            all.iter().map(|(name, one)| (name.clone(), key.digest(&[kind, name, one]))).collect()
        };
        let policies = digests("policy", &plan.meaning.policies).into_iter();
        let rules = plan.basis.rules.to_string();
        let guarded: Vec<String> = plan.basis.break_glass.iter().map(ToString::to_string).collect();
        let guarded: Vec<&str> =
            std::iter::once("break-glass").chain(guarded.iter().map(String::as_str)).collect();
        Self {
            policies: policies.map(|(name, one)| (name_of(&name, key), one)).collect(),
            project: digests("project", &plan.meaning.project),
            objects: digests("object", &plan.meaning.objects),
            rules: key.digest(&["rules", &rules]),
            break_glass: key.digest(&guarded),
        }
    }

    /// Compares the basis with that of a plan.
    ///
    /// # Errors
    /// The first part that differs.
    pub fn holds(&self, plan: &Plan, key: &ApprovalKey) -> Result<(), ChangedBasis> {
        let now = Self::of(plan, key);
        if self.policies != now.policies {
            let differs = |name: &&String| {
                let name = name_of(name, key);
                self.policies.get(&name) != now.policies.get(&name)
            };
            let named = plan.meaning.policies.keys().filter(differs).cloned().collect();
            let gone = self.policies.keys().filter(|name| !now.policies.contains_key(*name));
            return Err(ChangedBasis::Policies { named, gone: gone.count() });
        }
        if self.project != now.project {
            return Err(ChangedBasis::Project(differing(&self.project, &now.project)));
        }
        if self.objects != now.objects {
            return Err(ChangedBasis::Objects(differing(&self.objects, &now.objects)));
        }
        if self.rules != now.rules {
            return Err(ChangedBasis::Rules);
        }
        match self.break_glass == now.break_glass {
            true => Ok(()),
            false => Err(ChangedBasis::BreakGlass),
        }
    }
}

fn name_of(policy: &str, key: &ApprovalKey) -> String {
    key.digest(&["policy name", policy]).to_string()
}

fn differing<V: PartialEq>(then: &BTreeMap<String, V>, now: &BTreeMap<String, V>) -> Vec<String> {
    let all: std::collections::BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    all.into_iter().filter(|key| then.get(*key) != now.get(*key)).cloned().collect()
}

impl fmt::Display for ChangedBasis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| names.iter().map(quoted).collect::<Vec<_>>().join(", ");
        match self {
            Self::Policies { named, gone } => {
                let new = match named.len() {
                    0 => None,
                    1 => Some(format!("policy {} is new or changed", list(named))),
                    _ => Some(format!("policies {} are new or changed", list(named))),
                };
                let gone = match gone {
                    0 => None,
                    1 => Some("one policy is gone".to_owned()),
                    more => Some(format!("{more} policies are gone")),
                };
                let both: Vec<String> = new.into_iter().chain(gone).collect();
                write!(f, "{} since the approval", both.join(", and "))
            }
            Self::Project(keys) => {
                write!(f, "{} in `mfactl.yaml` changed since the approval", list(keys))
            }
            Self::Objects(keys) => {
                write!(f, "{} changed in the files since the approval", list(keys))
            }
            Self::Rules => f.write_str(
                "the rules of the tenant (Conditional Access, security defaults, domains or the authentication methods policy) changed since the approval, or this identity reads other parts of them",
            ),
            Self::BreakGlass => {
                f.write_str("the set of break-glass accounts changed since the approval")
            }
        }
    }
}
