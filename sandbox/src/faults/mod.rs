//! The faults that the sandbox can cause: an answer that is refused, spoilt, slow or cut, a revoked
//! token, pages that are empty or overlap.
//!
//! This file has the hook that chooses a fault for each request. `fault` has the list of faults,
//! `words` their names, `script` reads a file of faults, `share` makes a share of all answers
//! fail. Not here: how an answer is spoilt on its way out (`delivery`), or what the service refuses
//! by its own rules.

mod fault;
mod script;
mod share;
mod words;

use std::fmt;
use std::sync::Arc;

pub use self::fault::{Fault, PartInfo};
pub use self::script::{Script, ScriptError};
pub use self::share::Share;
pub use self::words::Word;

type Hook = dyn Fn(&PartInfo) -> Fault + Send + Sync;

/// The hook that chooses a fault for each request and each part of a batch.
#[derive(Clone, Default)]
pub struct Faults {
    hook: Option<Arc<Hook>>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    pub fn by(hook: impl Fn(&PartInfo) -> Fault + Send + Sync + 'static) -> Self {
        Self { hook: Some(Arc::new(hook)) }
    }

    /// The faults of a script.
    pub fn scripted(script: Script) -> Self {
        Self::by(move |part| script.at(part))
    }

    pub(crate) fn at(&self, part: impl FnOnce() -> PartInfo) -> Fault {
        match &self.hook {
            Some(hook) => hook(&part()),
            None => Fault::None,
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.hook.is_some() { "Faults(hook)" } else { "Faults(none)" })
    }
}
