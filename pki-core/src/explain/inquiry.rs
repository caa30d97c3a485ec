//! Asking rules, one after the other: briefly, or to the end with a note of every answer.

use alloc::string::String;

use super::{Decision, DecisionTrace, No, Refusal, RuleId};

/// An inquiry into one request. Issuing and explaining put the same questions to it, so that they cannot disagree.
pub(crate) struct Inquiry {
    course: Course,
    trace: DecisionTrace,
    first: Option<No>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    /// To the first "no"; what is permitted leaves no note, and costs no memory.
    Brief,
    /// Through all rules.
    Thorough,
}

impl Inquiry {
    /// Ends with the first refusal: for issuing.
    pub(crate) const fn brief() -> Self {
        Self { course: Course::Brief, trace: DecisionTrace::new(), first: None }
    }

    /// Asks every rule and notes every answer: for explaining.
    pub(crate) const fn thorough() -> Self {
        Self { course: Course::Thorough, trace: DecisionTrace::new(), first: None }
    }

    /// Puts a question about `value`. Who needs the answer to go on uses `?`; who does not goes on without it.
    pub(crate) fn ask<T>(
        &mut self,
        rule: RuleId,
        value: impl FnOnce() -> String,
        question: impl FnOnce() -> Result<T, No>,
    ) -> Result<T, No> {
        self.ask_because(rule, value, question, |_| String::new())
    }

    /// The same, with what decided in favour.
    pub(crate) fn ask_because<T>(
        &mut self,
        rule: RuleId,
        value: impl FnOnce() -> String,
        question: impl FnOnce() -> Result<T, No>,
        because: impl FnOnce(&T) -> String,
    ) -> Result<T, No> {
        if let (Course::Brief, Some(first)) = (self.course, &self.first) {
            return Err(first.clone());
        }
        let answer = question();
        match &answer {
            Ok(granted) if self.course == Course::Thorough => {
                self.trace.push(Decision::permit(rule, value(), because(granted)));
            }
            Ok(_) => {}
            Err(no) => {
                self.trace.push(Decision::refuse(no));
                if self.first.is_none() {
                    self.first = Some(no.clone());
                }
            }
        }
        answer
    }

    /// What was granted, if no rule said no; else the first "no".
    pub(crate) fn conclude<T>(&mut self, granted: Result<T, No>) -> Result<T, No> {
        match &self.first {
            Some(first) => Err(first.clone()),
            None => granted.inspect_err(|no| self.trace.push(Decision::refuse(no))),
        }
    }

    /// The answers.
    pub(crate) fn into_trace(self) -> DecisionTrace {
        self.trace
    }

    /// The refusal that this inquiry ended with.
    pub(crate) fn refuse(self, no: No) -> Refusal {
        Refusal::new(no, self.trace)
    }
}
