//! Questions to the person at the terminal, without an echo.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::{Zeroize, Zeroizing};

use crate::fault::Fault;

/// Asks for a passphrase; `None` if nobody is there to answer.
pub(crate) fn passphrase(question: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let Ok(mut terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        return Ok(None);
    };
    let unreadable = |error: std::io::Error| {
        Fault::usage(
            format!("cannot read from the terminal: {}", crate::input::reason(&error)),
            "give the passphrase with --passphrase-file",
        )
    };
    let before = tcgetattr(&terminal).map_err(|errno| unreadable(errno.into()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    write!(terminal, "{question}").map_err(unreadable)?;
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|errno| unreadable(errno.into()))?;
    let mut line = Zeroizing::new(Vec::with_capacity(1 << 10));
    let read = BufReader::with_capacity(1, &terminal).read_until(b'\n', &mut line);
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    // The terminal has shown nothing, not even the end of the line.
    let _ = writeln!(terminal);
    read.map_err(unreadable)?;
    restored.map_err(|errno| unreadable(errno.into()))?;
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    if line.is_empty() {
        line.zeroize();
        return Err(Fault::usage("the passphrase is empty", "type one, or give it with --passphrase-file"));
    }
    Ok(Some(line))
}
