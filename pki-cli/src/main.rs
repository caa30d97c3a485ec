//! The `pki` command: decode, call, commit, print.
//!
//! The clock, the operating system's source of randomness, files and the terminal are here; what may be issued is
//! decided in `pki-core`, what is kept is kept by `pki-store`. Each noun of the command line has a file; [`args`]
//! has the tree of commands.

mod answer;
mod args;
mod audit;
mod ca;
mod cert;
mod clock;
mod completions;
mod config;
mod contents;
mod crl;
mod csr;
mod duration;
mod explanation;
mod fault;
mod init;
mod input;
mod inspect;
mod intermediate;
mod issue;
mod issuer;
mod key;
mod layout;
mod lint;
mod mount;
mod name;
mod names;
mod ocsp;
mod output;
mod package;
mod period;
mod publish;
mod random;
mod request;
mod revoke;
mod role;
mod root;
mod session;
mod set;
mod sign;
mod table;
mod terminal;
mod tree;
mod verify;

use std::process::ExitCode;

fn main() -> ExitCode {
    fault::install_panic_hook();
    match args::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(fault.exit() as u8)
        }
    }
}
