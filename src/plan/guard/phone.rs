//! When a phone may be added, overwritten or taken away.
//!
//! Not here: what number is wanted (`settings::phone`), or whether somebody else has it
//! (`plan::holders`).

use super::{Case, reason};
use crate::plan::Reason;
use crate::posture::Answer;
use crate::settings::change::{Action, Change};
use crate::settings::{Setting, Value};
use crate::tenant::crowd::Judged;
use crate::tenant::facts::{Facts, Kind, Phone, Read};

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

    /// No silent side effect: a switch that may be there counts as one.
    fn sign_in(&self, change: &Change) -> Option<Reason> {
        let signs_in = self.judge.method_policy.signs_in_by_sms(self.user);
        let silent = change.setting == Setting::MobilePhone
            && signs_in != Judged::No
            && !change.mandate.settles_sms_sign_in;
        silent.then_some(Reason::SmsSignIn)
    }

    /// In many directories people can edit their own number, and whoever gets into one may edit
    /// another's.
    ///
    /// A number that comes back was there before the run, and what is there now is the run's own.
    fn replaced(&self, change: &Change) -> Option<Reason> {
        if change.mandate.puts_back {
            return None;
        }
        let is_administrator = self.judge.demand.is_administrator(self.user) != Judged::No;
        if is_administrator && !change.mandate.names_role {
            return Some(Reason::ReplacesAdministrators);
        }
        match self.judge.has_more_than_a_phone(self.user, self.facts) {
            Judged::No => None,
            Judged::Yes | Judged::Unknown => Some(Reason::HasStronger),
        }
    }

    /// A number more, or another: nobody may be worse off by it, whoever demands MFA.
    fn added(&self, change: &Change) -> Option<Reason> {
        if change.setting == Setting::AlternateMobilePhone && !self.has_phone(Kind::MobilePhone) {
            return Some(Reason::NoMobilePhone);
        }
        let after = self.after(change);
        let (before, answer) =
            (self.judge.answer(self.user, self.facts), self.judge.answer(self.user, &after));
        if answer != Answer::Can && before != Answer::Cannot {
            // A phone that is no answer to what is demanded turns a user who could register into
            // one who cannot get in.
            match self.judge.refuses_phones(self.user) {
                Judged::Yes => return Some(Reason::WouldBeStuck),
                Judged::Unknown => return Some(Reason::CannotTell),
                Judged::No => {}
            }
        }
        // A demand that may be there counts as one; and what answers now is needed the day that one
        // comes.
        let matters = self.judge.demanded(self.user, &after) != Judged::No || before == Answer::Can;
        if matters && worsens(before, answer) { reason(answer) } else { None }
    }

    /// The last registered method of anybody stays, whoever demands MFA: something that surely
    /// answers must be left. A number that a run added goes also as the last one, where nothing
    /// demands MFA: a stranger's number must not stay somebody's method.
    fn removal(&self, change: &Change) -> Option<Reason> {
        let after = self.after(change);
        match self.lasting_answer(&after) {
            Answer::Can => {}
            _ if change.mandate.puts_back && self.nothing_demands(&after) => {}
            Answer::Nothing | Answer::Cannot => return Some(Reason::LastMethod),
            Answer::Unknown => return Some(Reason::MaybeLastMethod),
        }
        if change.setting == Setting::MobilePhone && self.has_phone(Kind::AlternateMobilePhone) {
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

    /// Whether nothing at all asks the user for MFA: no state, no policy, no role that the portals
    /// ask. What may ask counts as asking.
    fn nothing_demands(&self, facts: &Facts) -> bool {
        self.judge.demanded(self.user, facts) == Judged::No
            && self.judge.demand.sources(self.user, facts.state).is_empty()
    }

    fn has_phone(&self, kind: Kind) -> bool {
        has_phone(self.facts, kind)
    }

    /// Whether a phone of that kind goes in the same plan.
    pub(super) fn goes(&self, kind: Kind) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| change.setting.phone() == Some(kind) && change.after == Value::Nothing)
    }
}

/// Whether the user could answer before, or may have been able to, and now less so; or is now in
/// another kind of trouble.
fn worsens(before: Answer, after: Answer) -> bool {
    match (before, after) {
        (_, Answer::Can) => false,
        (Answer::Nothing | Answer::Cannot, Answer::Unknown) => false,
        (before, after) => before != after,
    }
}

/// Whether nothing is left that could be a second factor. The service deletes the default method
/// only then: "cannot delete default method with other methods configured" (its own message, in
/// issue 14470 of microsoft-graph-docs; Graph documentation of phoneAuthenticationMethod names no
/// such exception; checked 2026-11).
fn is_without_methods(facts: &Facts) -> bool {
    facts.methods.known().is_some_and(|methods| !methods.kinds.has_second_factor())
}

fn has_phone(facts: &Facts, kind: Kind) -> bool {
    facts.methods.known().is_some_and(|methods| methods.phone(kind) != Phone::None)
}
