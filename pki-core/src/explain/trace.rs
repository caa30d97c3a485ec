//! The decision trace: every rule that was asked, its answer, and what would be accepted instead.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{No, Refusal, Remedy, RuleId};
use crate::issue::Permitted;

/// What a rule answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The value may be.
    Permit,
    /// The value may not be.
    Refuse,
}

impl Answer {
    /// `permit` or `refuse`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Refuse => "refuse",
        }
    }
}

/// One line of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The rule that was asked.
    pub rule: RuleId,
    /// The value it was asked about; the requester's own.
    pub value: String,
    /// What it said.
    pub answer: Answer,
    /// What decided: the role's value, or the reason of a refusal. For operators; empty where the rule says it all.
    pub reason: String,
    /// For a refusal, what would be accepted.
    pub remedy: Option<Remedy>,
}

impl Decision {
    pub(super) const fn permit(rule: RuleId, value: String, reason: String) -> Self {
        Self { rule, value, answer: Answer::Permit, reason, remedy: None }
    }

    pub(super) fn refuse(no: &No) -> Self {
        let No { rule, value, reason, remedy } = no.clone();
        Self { rule, value, answer: Answer::Refuse, reason, remedy: Some(remedy) }
    }
}

/// Every rule that was asked about one request, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionTrace {
    decisions: Vec<Decision>,
    unlisted: usize,
}

/// The outcome of asking every rule about a request, without stopping at the first "no" and without any key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation<K> {
    /// Every rule with its answer.
    pub trace: DecisionTrace,
    /// What issuing would say to the same request.
    pub outcome: Result<Permitted<K>, Refusal>,
}

/// Whose eyes a trace is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Everything.
    #[default]
    Operator,
    /// The rules and the requester's own values, so that no list of what a role allows leaks.
    Requester,
}

/// A trace as one of the two parties may see it.
#[derive(Clone, Copy, Debug)]
pub struct SeenTrace<'a> {
    trace: &'a DecisionTrace,
    view: View,
}

/// A line of a trace as one of the two parties may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SeenDecision<'a> {
    /// The identifier of the rule.
    pub rule: &'static str,
    /// What is so when the rule permits.
    pub statement: &'static str,
    /// The value it was asked about.
    pub value: &'a str,
    /// `permit` or `refuse`.
    pub answer: &'static str,
    /// What decided; not for requesters.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub reason: Option<&'a str>,
    /// Flags of `role patch` that would permit it; not for requesters.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub role_change: Option<&'a str>,
    /// A change of the request that would be permitted.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub request_change: Option<&'a str>,
}

impl DecisionTrace {
    /// The version of the trace's form. A change of meaning raises it.
    pub const VERSION: u32 = 1;

    pub(super) const fn new() -> Self {
        Self { decisions: Vec::new(), unlisted: 0 }
    }

    /// The lines, in order.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// How many answers more there were than a trace lists.
    pub const fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// What all of it comes to: one refusal refuses the request.
    pub fn verdict(&self) -> Answer {
        if self.refusals().next().is_some() { Answer::Refuse } else { Answer::Permit }
    }

    /// The lines that refuse.
    pub fn refusals(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(|decision| decision.answer == Answer::Refuse)
    }

    /// The trace for these eyes.
    pub const fn seen_by(&self, view: View) -> SeenTrace<'_> {
        SeenTrace { trace: self, view }
    }

    /// Adds a line; the first refusal always finds room.
    pub(super) fn push(&mut self, decision: Decision) {
        if self.decisions.len() < MAX_LINES
            || (decision.answer == Answer::Refuse && self.verdict() == Answer::Permit)
        {
            self.decisions.push(decision);
        } else {
            self.unlisted += 1;
        }
    }
}

impl<'a> SeenTrace<'a> {
    /// The lines, in order.
    pub fn decisions(self) -> impl Iterator<Item = SeenDecision<'a>> {
        self.trace.decisions.iter().map(move |decision| self.line(decision))
    }

    fn line(self, decision: &'a Decision) -> SeenDecision<'a> {
        let Decision { rule, value, answer, reason, remedy } = decision;
        let operator = self.view == View::Operator;
        SeenDecision {
            rule: rule.as_str(),
            statement: rule.statement(),
            value,
            answer: answer.as_str(),
            reason: (operator && !reason.is_empty()).then_some(reason.as_str()),
            role_change: remedy.as_ref().filter(|_| operator).and_then(Remedy::role_change),
            request_change: remedy.as_ref().and_then(Remedy::request_change),
        }
    }
}

/// One line for each rule.
impl fmt::Display for SeenTrace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for SeenDecision { rule, value, answer, reason, statement, .. } in self.decisions() {
            writeln!(f, "{answer} {rule} {value:?}: {}", reason.unwrap_or(statement))?;
        }
        if self.trace.unlisted > 0 {
            writeln!(f, "and {} more", self.trace.unlisted)?;
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for SeenTrace<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let lines: Vec<SeenDecision<'_>> = self.decisions().collect();
        let mut map = serializer.serialize_struct("DecisionTrace", 4)?;
        map.serialize_field("version", &DecisionTrace::VERSION)?;
        map.serialize_field("verdict", self.trace.verdict().as_str())?;
        map.serialize_field("decisions", &lines)?;
        map.serialize_field("unlisted", &self.trace.unlisted)?;
        map.end()
    }
}

/// So many lines a trace has: a CSR may ask for some thousand names, and each refusal repeats the role's list.
const MAX_LINES: usize = 256;
