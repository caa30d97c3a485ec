//! `pki completions` and `pki man`: what shells and manuals know about the commands.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use crate::args::{self, Act};
use crate::fault::Fault;
use crate::output::{self, Existing, Readers};
use crate::session::Session;

/// Print the completions for a shell.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki completions bash > /etc/bash_completion.d/pki")]
pub(crate) struct Completions {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

/// Write the manual pages into a directory, one for each command.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pki man /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Directory to write into; made if it is not there
    directory: PathBuf,
}

impl Act for Completions {
    fn run(self, _: &Session) -> Result<(), Fault> {
        let mut command = args::command();
        command.build();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "pki", &mut script);
        output::print(&script)
    }
}

impl Act for Man {
    fn run(self, session: &Session) -> Result<(), Fault> {
        std::fs::create_dir_all(&self.directory)
            .map_err(|error| output::unwritable(&self.directory, &error))?;
        let existing =
            if session.global.force.unwrap_or(false) { Existing::Replace } else { Existing::Refuse };
        let mut command = args::command();
        command.build();
        self.write(&command, "pki", existing)
    }
}

impl Man {
    fn write(&self, command: &clap::Command, name: &str, existing: Existing) -> Result<(), Fault> {
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone())
            .title(name.to_uppercase())
            .render(&mut page)
            .map_err(|error| Fault::defect(format!("a manual page was not made: {error}")))?;
        let path = self.directory.join(format!("{name}.1"));
        output::write_file(&path, &page, Readers::Published, existing)?;
        for below in command.get_subcommands() {
            self.write(below, &format!("{name}-{}", below.get_name()), existing)?;
        }
        Ok(())
    }
}
