//! Why a request is permitted or refused: `role explain`, `--dry-run`, and what the audit log keeps of a refusal.

use clap::{Args, ValueEnum};
use pki_core::explain::{Answer as RuleAnswer, Decision, DecisionTrace, Explanation, Refusal, View};
use pki_core::hierarchy::IssuerChain;
use pki_core::issue::{IssueRequest, Permitted, SignRequest};
use serde_json::{Value, json};

use crate::answer::{Answer, Delivery, Shape};
use crate::args::Global;
use crate::args::global::Format;
use crate::ca;
use crate::fault::Fault;
use crate::issue::Policy;
use crate::period;
use crate::session::{House, Session};
use crate::set::Swap;
use crate::table::Table;

/// Whose eyes the explanation is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Eyes {
    /// Everything.
    #[default]
    Operator,
    /// The rules and the request's own values; nothing of what the role allows.
    Requester,
}

/// The flags of a dry run.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct DryRun {
    /// Ask every rule and print its answer; no key is touched and nothing is written
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    dry_run: Option<bool>,
    /// Whose eyes the answer of a dry run is for
    #[arg(long, value_enum, value_name = "WHO", requires = "dry_run")]
    view: Option<Eyes>,
}

impl DryRun {
    /// Whose eyes, if it is one.
    pub(crate) fn view(self) -> Option<Eyes> {
        self.dry_run.unwrap_or(false).then(|| self.view.unwrap_or_default())
    }
}

/// What was asked for, kept until it is clear that nobody has to explain a refusal.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Issue(IssueRequest),
    Sign(SignRequest),
}

/// Every rule's answer, and what would be granted.
pub(crate) struct Explained {
    pub(crate) trace: DecisionTrace,
    granted: Result<Granted, Refusal>,
}

struct Granted {
    facts: Vec<(&'static str, String)>,
    warnings: Vec<String>,
}

impl Asked {
    pub(crate) fn explain(&self, house: &House, policy: &Policy, chain: &IssuerChain) -> Explained {
        let limits = ca::limits(&policy.mount);
        match self {
            Self::Issue(request) => {
                let Explanation { trace, outcome, .. } =
                    policy.role.explain(request, Some(chain), &limits, house.now);
                let granted = outcome.map(|permitted| {
                    let key = permitted.key_algorithm();
                    granted(house, &permitted, format!("{} {}, to be generated", key.key_type(), key.bits()))
                });
                Explained { trace, granted }
            }
            Self::Sign(request) => {
                let Explanation { trace, outcome, .. } =
                    policy.role.explain_csr(request, Some(chain), &limits, house.now);
                let granted = outcome.map(|permitted| {
                    let key = permitted.public_key();
                    granted(house, &permitted, format!("{} {}, of the CSR", key.key_type(), key.bits()))
                });
                Explained { trace, granted }
            }
        }
    }
}

fn granted<K>(house: &House, permitted: &Permitted<K>, key: String) -> Granted {
    let names: Vec<String> = permitted.alternative_names().iter().map(ToString::to_string).collect();
    let purposes = permitted.profile().extended_key_usages().iter().map(ToString::to_string);
    let validity = permitted.validity();
    Granted {
        facts: vec![
            ("subject", permitted.subject().to_string()),
            ("names", names.join(", ")),
            ("key", key),
            ("key usage", permitted.profile().key_usages().to_string()),
            ("purposes", purposes.collect::<Vec<_>>().join(", ")),
            ("valid from", validity.not_before().to_string()),
            ("valid until", period::until(validity.not_after(), house.now)),
        ],
        warnings: permitted.warnings().iter().map(ToString::to_string).collect(),
    }
}

impl Explained {
    /// Prints it: exit code 0 where the request would be permitted, 1 with the first refusal where not.
    pub(crate) fn deliver(&self, session: &Session, policy: &Policy, eyes: Eyes) -> Result<(), Fault> {
        let view = match eyes {
            Eyes::Operator => View::Operator,
            Eyes::Requester => View::Requester,
        };
        let mut answer = Answer::new();
        answer
            .ours("role", policy.record.name.clone())
            .ours("role_id", policy.record.id.to_string())
            .ours("role_revision", policy.record.revision)
            .ours("verdict", self.trace.verdict().as_str())
            .ours("trace", to_json(&self.trace, view)?);
        let mut text = self.table(view);
        if let Ok(Granted { facts, warnings }) = &self.granted {
            let known =
                facts.iter().map(|(label, value)| (label.replace(' ', "_"), Value::from(value.as_str())));
            answer.ours("granted", Value::Object(known.collect()));
            text.push_str("\nwould be granted:\n");
            for (label, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
                text.push_str(&format!("  {label:<12}{}\n", crate::table::printable(value)));
            }
            for warning in warnings {
                answer.warn(warning.clone());
            }
        } else {
            text.push_str(&self.remedies(policy, view));
        }
        answer.text(text);
        // The line may be that of the real thing: its files are not written, and PEM has nothing to hold here.
        let global = Global {
            out: None,
            format: session.global.format.map(|format| match format {
                Format::Json => Format::Json,
                _ => Format::Text,
            }),
            ..session.global.clone()
        };
        Delivery::plan(&global, Shape::FACTS, Swap::Refuse)?.deliver(&answer)?;
        match &self.granted {
            Ok(_) => Ok(()),
            Err(refusal) => Err(policy.fault(refusal, view)),
        }
    }

    /// A line for each rule.
    fn table(&self, view: View) -> String {
        let operator = view == View::Operator;
        let mut table = if operator {
            Table::new(&["answer", "rule", "value", "because"])
        } else {
            Table::new(&["answer", "rule", "value"])
        };
        for line in self.trace.seen_by(view).decisions() {
            let mut cells = vec![line.answer.to_owned(), line.rule.to_owned(), line.value.to_owned()];
            if operator {
                cells.push(line.reason.unwrap_or_default().to_owned());
            }
            table.row(cells);
        }
        let mut text = table.render();
        if self.trace.unlisted() > 0 {
            text.push_str(&format!("and {} answers more\n", self.trace.unlisted()));
        }
        text
    }

    /// For each refusal what would be accepted.
    fn remedies(&self, policy: &Policy, view: View) -> String {
        let mut text = String::from("\nwould be permitted:\n");
        for decision in self.trace.refusals() {
            text.push_str(&format!("  {} {}\n", decision.rule, crate::table::printable(&decision.value)));
            for line in remedy_lines(decision, policy, view) {
                text.push_str(&format!("    {}\n", crate::table::printable(&line)));
            }
        }
        text
    }
}

fn remedy_lines(decision: &Decision, policy: &Policy, view: View) -> Vec<String> {
    let Some(remedy) = &decision.remedy else { return Vec::new() };
    let role_change = remedy.role_change().filter(|_| view == View::Operator);
    let lines: Vec<String> = [
        remedy.request_change().map(|change| format!("the request: {change}")),
        role_change.map(|flags| format!("the role: {} {} {flags}", policy.patch(), policy.record.name)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if lines.is_empty() { vec![ASK_THE_OPERATOR.to_owned()] } else { lines }
}

/// The trace as JSON, for answers and for the audit log.
pub(crate) fn to_json(trace: &DecisionTrace, view: View) -> Result<Value, Fault> {
    serde_json::to_value(trace.seen_by(view))
        .map_err(|_| Fault::defect("a decision trace does not encode as JSON"))
}

/// What a refusal's audit row says beside the fault.
pub(crate) fn audit_detail(fault: &Fault, trace: &DecisionTrace) -> Value {
    json!({ "fault": fault.fault(), "trace": to_json(trace, View::Operator).unwrap_or(Value::Null) })
}

/// The refusals of a recorded trace after the first, which the fault speaks of.
pub(crate) fn also_refused(trace: &Value) -> Vec<String> {
    let decisions = trace.get("decisions").and_then(Value::as_array);
    let text = |decision: &Value, key: &str| {
        decision.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    decisions
        .into_iter()
        .flatten()
        .filter(|decision| text(decision, "answer") == RuleAnswer::Refuse.as_str())
        .skip(1)
        .map(|decision| {
            format!("{} {}", text(decision, "rule"), text(decision, "value")).trim_end().to_owned()
        })
        .collect()
}

/// What a requester can do where only a change of the role helps.
pub(crate) const ASK_THE_OPERATOR: &str = "only a change of the role would permit it: ask whoever writes it";
