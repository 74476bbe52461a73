//! The file of an approval: one JSON object with a seal over all of it. It holds no name and no number.
//!
//! The seal is an HMAC. With the key of fingerprints, nobody without the key can change the file. Without it, the
//! salt in the file is the key: the seal shows damage, not malice, and a person who can write the file can
//! approve what the policies want anyway.
//!
//! Not here: what is approved (`plan::approval`), or the refusal of a file (`run::approved`).

use std::io::{self, Read as _, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::age::WrongAge;
use crate::files;
use crate::id::TenantId;
use crate::plan::approval::{Approval, ApprovalDigest, ApprovalKey, Salt};
use crate::plan::fingerprint::Key;
use crate::untrusted::label;

/// The format that this program writes and reads.
const FORMAT: u32 = 1;

/// The largest file that is read. A change takes 70 bytes, so this is more than a million.
const MOST_BYTES: u64 = 128 * 1024 * 1024;

/// An approval that was read from a file.
#[derive(Debug)]
pub struct SavedApproval {
    pub approval: Approval,
    pub key: ApprovalKey,
    pub cloud: String,
    pub made: Timestamp,
}

/// What the file of an approval contains in addition to the approval.
#[derive(Debug, Clone, Copy)]
pub struct ApprovalExtras<'a> {
    pub cloud: &'a str,
    pub made: Timestamp,
    pub salt: Salt,
    /// The key of fingerprints.
    pub secret: Option<&'a Key>,
}

/// Why a file is not accepted as an approval.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalFault {
    #[error("it could not be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is not an approval")]
    NotOne,
    #[error("it has format {0}, but this program reads format {FORMAT}")]
    OtherFormat(u64),
    #[error("it was made with `MFACTL_FINGERPRINT_KEY`, which is not set here")]
    NoKey,
    #[error("it is of tenant `{planned}`, but this is `{here}`")]
    OtherTenant { planned: TenantId, here: TenantId },
    #[error("it is of cloud `{}`, but this is `{here}`", label(planned))]
    OtherCloud { planned: String, here: &'static str },
    #[error("{}", .0.about("it"))]
    Age(WrongAge),
    /// A file without a key proves nothing where a key is expected.
    #[error("it was made without `MFACTL_FINGERPRINT_KEY`, which is set here")]
    NotKeyed,
    #[error(
        "it was damaged or edited, or `MFACTL_FINGERPRINT_KEY` is not the key it was made with"
    )]
    Seal,
}

/// The part of the file that every format has.
#[derive(Deserialize)]
struct ApprovalProbe {
    #[serde(rename = "approvalVersion")]
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApprovalFile {
    approval_version: u32,
    program: String,
    made: Timestamp,
    cloud: String,
    /// Whether the key of fingerprints is needed to read it.
    keyed: bool,
    salt: String,
    approval: Approval,
    /// Over the same object without this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seal: Option<ApprovalDigest>,
}

/// Whether a file that begins with these bytes contains an approval of any format.
#[must_use]
pub fn begins_as_one(bytes: &[u8]) -> bool {
    bytes.starts_with(br#"{"approvalVersion":"#)
}

/// Writes the approval.
///
/// # Errors
/// If the file cannot be written.
pub fn write(
    approval: &Approval,
    extras: ApprovalExtras<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let ApprovalExtras { cloud, made, salt, secret } = extras;
    let mut file = ApprovalFile {
        approval_version: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made,
        cloud: cloud.to_owned(),
        keyed: secret.is_some(),
        salt: salt.to_string(),
        approval: approval.clone(),
        seal: None,
    };
    file.seal = Some(seal(&file, &ApprovalKey::new(salt, secret))?);
    serde_json::to_writer(&mut *out, &file)?;
    out.write_all(b"\n")
}

/// Reads an approval.
///
/// # Errors
/// If the file cannot be read, is no approval, or was changed after it was written.
pub fn read(path: &Path, secret: Option<&Key>) -> Result<SavedApproval, ApprovalFault> {
    let mut text = Vec::new();
    files::open_given(path)?.take(MOST_BYTES).read_to_end(&mut text)?;
    parse(&text, secret)
}

fn parse(text: &[u8], secret: Option<&Key>) -> Result<SavedApproval, ApprovalFault> {
    let probe: ApprovalProbe = serde_json::from_slice(text).map_err(|_| ApprovalFault::NotOne)?;
    if probe.version != u64::from(FORMAT) {
        return Err(ApprovalFault::OtherFormat(probe.version));
    }
    let mut file: ApprovalFile = serde_json::from_slice(text).map_err(|_| ApprovalFault::NotOne)?;
    let secret = match (file.keyed, secret) {
        (true, None) => return Err(ApprovalFault::NoKey),
        (false, Some(_)) => return Err(ApprovalFault::NotKeyed),
        (_, secret) => secret,
    };
    let salt = Salt::parse(&file.salt).ok_or(ApprovalFault::NotOne)?;
    let key = ApprovalKey::new(salt, secret);
    let written = file.seal.take().ok_or(ApprovalFault::Seal)?;
    if seal(&file, &key)? != written {
        return Err(ApprovalFault::Seal);
    }
    Ok(SavedApproval { approval: file.approval, key, cloud: file.cloud, made: file.made })
}

fn seal(file: &ApprovalFile, key: &ApprovalKey) -> io::Result<ApprovalDigest> {
    Ok(key.digest(&["seal", &serde_json::to_string(file)?]))
}
