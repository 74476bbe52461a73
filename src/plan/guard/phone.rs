//! Decides when a phone may be added, overwritten or removed.
//!
//! Not here: which number is wanted (`settings::phone`), or whether another user has it
//! (`plan::numbers::owners`).

use super::{Case, reason};
use crate::plan::Reason;
use crate::posture::MethodVerdict;
use crate::settings::change::{Action, Change};
use crate::settings::{Setting, Value};
use crate::tenant::facts::{Facts, MethodKind, Phone, Read};
use crate::tenant::user_set::Tristate;

impl Case<'_> {
    pub(super) fn phone(&self, change: &Change) -> Option<Reason> {
        match change.action() {
            Action::Delete => self.removal(change),
            Action::Create => self.sign_in(change).or_else(|| self.added(change)),
            Action::Update => self
                .sign_in(change)
                .or_else(|| self.replaced(change))
                .or_else(|| self.added(change)),
        }
    }

    /// Refuses a mobile phone that would, or might, switch on SMS sign-in as a silent side effect.
    fn sign_in(&self, change: &Change) -> Option<Reason> {
        let signs_in = self.judge.method_policy.signs_in_by_sms(self.user);
        let silent = change.setting == Setting::MobilePhone
            && signs_in != Tristate::No
            && !change.mandate.settles_sms_sign_in;
        silent.then_some(Reason::SmsSignIn)
    }

    /// Refuses to overwrite numbers of administrators and of users with stronger methods. In many
    /// directories people can edit their own number, and an attacker in the directory may edit the numbers
    /// of others.
    ///
    /// An undo may overwrite: the number that it writes was there before the run, and the number there now
    /// is the run's own.
    fn replaced(&self, change: &Change) -> Option<Reason> {
        if change.mandate.puts_back {
            return None;
        }
        let is_administrator = self.judge.demand.is_administrator(self.user) != Tristate::No;
        if is_administrator && !change.mandate.names_role {
            return Some(Reason::ReplacesAdministrators);
        }
        match self.judge.has_more_than_a_phone(self.user, self.facts) {
            Tristate::No => None,
            Tristate::Yes | Tristate::Unknown => Some(Reason::HasStronger),
        }
    }

    /// Refuses a new or another number that would leave the user worse off, whatever requires MFA.
    fn added(&self, change: &Change) -> Option<Reason> {
        if change.setting == Setting::AlternateMobilePhone
            && !self.has_phone(MethodKind::MobilePhone)
        {
            return Some(Reason::NoMobilePhone);
        }
        let after = self.after(change);
        let (before, answer) =
            (self.judge.answer(self.user, self.facts), self.judge.answer(self.user, &after));
        if answer != MethodVerdict::Can && before != MethodVerdict::Cannot {
            // A phone that does not satisfy the requirement locks out a user who could have
            // registered a method before.
            match self.judge.refuses_phones(self.user) {
                Tristate::Yes => return Some(Reason::WouldBeStuck),
                Tristate::Unknown => return Some(Reason::CannotTell),
                Tristate::No => {}
            }
        }
        // A possible requirement counts as one. A method that answers now is needed on the day MFA
        // becomes required.
        let matters =
            self.judge.demanded(self.user, &after) != Tristate::No || before == MethodVerdict::Can;
        if matters && worsens(before, answer) { reason(answer) } else { None }
    }

    /// Refuses to remove the last method, whatever requires MFA: a method that certainly answers must be
    /// left. An undo may remove a number that its run added even as the last one, if nothing requires MFA,
    /// because another person's number must not stay the user's method.
    fn removal(&self, change: &Change) -> Option<Reason> {
        let after = self.after(change);
        match self.lasting_answer(&after) {
            MethodVerdict::Can => {}
            _ if change.mandate.puts_back && self.nothing_demands(&after) => {}
            MethodVerdict::Nothing | MethodVerdict::Cannot => return Some(Reason::LastMethod),
            MethodVerdict::Unknown => return Some(Reason::MaybeLastMethod),
        }
        if change.setting == Setting::MobilePhone
            && self.has_phone(MethodKind::AlternateMobilePhone)
        {
            return Some(Reason::AlternateNeedsMobile);
        }
        if change.mandate.puts_back && is_without_methods(&after) {
            return None;
        }
        match self.facts.default_method {
            Read::Unknown(_) => Some(Reason::DefaultUnknown),
            Read::Known(Some(method)) if method.phone() == change.setting.phone() => {
                Some(Reason::IsDefault)
            }
            Read::Known(_) => None,
        }
    }

    /// Whether nothing requires MFA for the user: no state, no policy, and no role at the admin portals. A
    /// possible requirement counts as one.
    fn nothing_demands(&self, facts: &Facts) -> bool {
        self.judge.demanded(self.user, facts) == Tristate::No
            && self.judge.demand.sources(self.user, facts.state).is_empty()
    }

    fn has_phone(&self, kind: MethodKind) -> bool {
        has_phone(self.facts, kind)
    }

    /// Whether the same plan removes the phone of that kind.
    pub(super) fn goes(&self, kind: MethodKind) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| change.setting.phone() == Some(kind) && change.after == Value::Nothing)
    }
}

/// Whether the answer gets worse: the user could answer, or possibly could, and now can less; or the user
/// is in another kind of trouble than before.
fn worsens(before: MethodVerdict, after: MethodVerdict) -> bool {
    match (before, after) {
        (_, MethodVerdict::Can) => false,
        (MethodVerdict::Nothing | MethodVerdict::Cannot, MethodVerdict::Unknown) => false,
        (before, after) => before != after,
    }
}

/// Whether no method is left that could be a second factor. Entra deletes the default method only then:
/// "cannot delete default method with other methods configured" (Entra's message, in issue 14470 of
/// microsoft-graph-docs; the Graph documentation of phoneAuthenticationMethod does not mention such an
/// exception; checked 2026-11).
fn is_without_methods(facts: &Facts) -> bool {
    facts.methods.known().is_some_and(|methods| !methods.kinds.has_second_factor())
}

fn has_phone(facts: &Facts, kind: MethodKind) -> bool {
    facts.methods.known().is_some_and(|methods| methods.phone(kind) != Phone::None)
}
