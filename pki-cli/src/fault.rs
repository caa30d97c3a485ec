//! What went wrong and what to do about it: two lines and an exit code.

use std::fmt;

/// The exit codes of conventions.md, "Command line".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 1: a rule says no.
    Refused = 1,
    /// 2: flags, values or input files that do not parse; an output file that exists.
    Usage = 2,
    /// 3: a role, issuer, mount, serial or store that is not there.
    Missing = 3,
    /// 4: store, seal or disk unusable.
    Unusable = 4,
    /// 5: our defect.
    Defect = 5,
    /// 10: of a status: somebody should look.
    Warning = 10,
    /// 11: of a status: somebody has to act.
    Critical = 11,
}

/// Why a command did not do what was asked: the fault, then the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    exit: Exit,
    fault: String,
    remedy: String,
}

impl Fault {
    /// A rule says no.
    pub(crate) fn refused(fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Exit::Refused, fault, remedy)
    }

    /// Something on the command line or in an input file does not parse, or an output file exists.
    pub(crate) fn usage(fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Exit::Usage, fault, remedy)
    }

    /// Something that was named is not there.
    pub(crate) fn missing(fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Exit::Missing, fault, remedy)
    }

    /// The store, its seal or the disk cannot be used.
    pub(crate) fn unusable(fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Exit::Unusable, fault, remedy)
    }

    /// A status that somebody should look at.
    pub(crate) fn warning(fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Exit::Warning, fault, remedy)
    }

    /// A status that somebody has to act on.
    pub(crate) fn critical(fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Exit::Critical, fault, remedy)
    }

    /// Our own mistake.
    pub(crate) fn defect(fault: impl Into<String>) -> Self {
        Self::new(Exit::Defect, fault, "this is a defect of pki: please report it with the command line")
    }

    fn new(exit: Exit, fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { exit, fault: one_line(&fault.into()), remedy: one_line(&remedy.into()) }
    }

    /// The process's exit code.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The first line, without its label.
    pub(crate) fn fault(&self) -> &str {
        &self.fault
    }

    /// The same fault with another second line.
    pub(crate) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = one_line(&remedy.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\nremedy: {}", self.fault, self.remedy)
    }
}

/// A panic is a defect: two lines and exit code 5, like every other fault, and no trace of what was in memory.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        eprintln!("{}", Fault::defect(format!("pki stopped in the middle of its work{place}")));
        std::process::exit(i32::from(Exit::Defect as u8));
    }));
}

/// A message never breaks its line, whatever name or file content it quotes: control characters are escaped.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.trim_end().chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_two_lines_whatever_it_quotes() {
        let fault = Fault::usage("role \"a\nb\u{1b}[31m\" is no name", "use letters");
        assert_eq!(fault.to_string().lines().count(), 2);
        assert_eq!(fault.to_string(), "error: role \"a\\nb\\u{1b}[31m\" is no name\nremedy: use letters");
        assert_eq!(fault.exit(), Exit::Usage);
    }
}
