//! A PostgreSQL server of the tests' own: a cluster in a temporary directory, a socket and a free port, also with TLS.
//!
//! `POSTGRES_BIN` names the directory of another version's programs.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The server that all tests of a process share. It ends with the process, however that ends.
pub(crate) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start("fsync = off"))
}

/// A running server.
pub(crate) struct Cluster {
    /// Its directory: socket, log, certificates.
    pub(crate) directory: PathBuf,
    /// Its port, on 127.0.0.1 and for the socket.
    pub(crate) port: u16,
    /// Ends the server when its input closes.
    _keeper: Child,
}

impl Cluster {
    /// Starts a server with these settings beside the tests' own.
    pub(crate) fn start(settings: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("db-creds-").tempdir_in("/tmp").unwrap().keep();
        let account = Account::find();
        account.give(&directory);
        let programs = account.reachable(programs(), &directory);
        let data = directory.join("data");
        run(account
            .command(&programs.join("initdb"))
            .args(["-U", "postgres", "-E", "UTF8", "--locale=C"])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "-D"])
            .arg(&data));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        certificates(&directory);
        for file in ["server.key", "server.pem"] {
            account.give(&directory.join(file));
        }
        let configuration = format!(
            "\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{0}'\nssl = on\n\
             ssl_cert_file = '{0}/server.pem'\nssl_key_file = '{0}/server.key'\nlog_statement = all\n\
             password_encryption = 'scram-sha-256'\nmax_prepared_transactions = 4\nmax_connections = 120\n\
             log_line_prefix = '%m [%p] '\n{settings}\n",
            directory.display()
        );
        let mut file = File::options().append(true).open(data.join("postgresql.conf")).unwrap();
        file.write_all(configuration.as_bytes()).unwrap();
        let log = File::create(directory.join("log")).unwrap();
        // The server outlives no test process, not even one that is killed: then its input closes.
        let keeper = Command::new("sh")
            .arg("-c")
            .arg("directory=$1; shift; \"$@\" & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf \"$directory\"")
            .arg("keeper")
            .arg(&directory)
            .args(account.words(&programs.join("postgres")))
            .arg("-D")
            .arg(&data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let cluster = Self { directory, port, _keeper: keeper };
        cluster.wait();
        cluster
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap()
    }

    /// A URL through the socket, where everyone is trusted.
    pub(crate) fn socket_url(&self, database: &str) -> String {
        format!(
            "postgresql://{{{{username}}}}:{{{{password}}}}@:{}/{database}?host={}",
            self.port,
            self.directory.display()
        )
    }

    /// A URL through TCP, where passwords are asked for.
    pub(crate) fn tcp_url(&self, database: &str, settings: &str) -> String {
        format!(
            "postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/{database}?{settings}",
            self.port
        )
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.log().contains("ready to accept connections") {
            assert!(Instant::now() < deadline, "the server does not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The directory of the server's programs.
fn programs() -> PathBuf {
    if let Ok(directory) = std::env::var("POSTGRES_BIN") {
        return directory.into();
    }
    let mut candidates: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        candidates.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    candidates.sort();
    candidates
        .into_iter()
        .rfind(|directory| directory.join("initdb").exists() && directory.join("postgres").exists())
        .expect("no PostgreSQL server programs; install them with: sudo apt-get install -y postgresql")
}

/// Who the server runs as: it refuses root.
struct Account(Option<(String, u32, u32)>);

impl Account {
    fn find() -> Self {
        let id = |arguments: &[&str]| -> Option<u32> {
            let output = Command::new("id").args(arguments).output().unwrap();
            String::from_utf8_lossy(&output.stdout).trim().parse().ok()
        };
        if id(&["-u"]) != Some(0) {
            return Self(None);
        }
        let found = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Some((name.to_owned(), id(&["-u", name])?, id(&["-g", name])?)));
        Self(Some(found.expect("an account without privileges: postgres or nobody")))
    }

    /// The words of a command that runs as this account.
    fn words(&self, program: &Path) -> Vec<String> {
        let program = program.display().to_string();
        match &self.0 {
            None => vec![program],
            Some((_, user, group)) => vec![
                "setpriv".into(),
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".into(),
                program,
            ],
        }
    }

    /// The programs where this account can run them: a checkout in somebody's home may be closed to it.
    fn reachable(&self, programs: PathBuf, directory: &Path) -> PathBuf {
        let probe = self.command(&programs.join("postgres")).arg("--version").stderr(Stdio::null()).output();
        if probe.is_ok_and(|output| output.status.success()) {
            return programs;
        }
        let copy = directory.join("programs");
        run(Command::new("cp").arg("-r").arg(programs.parent().unwrap()).arg(&copy));
        copy.join("bin")
    }

    fn command(&self, program: &Path) -> Command {
        let words = self.words(program);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    fn give(&self, path: &Path) {
        if let Some((_, user, group)) = &self.0 {
            chown(path, Some(*user), Some(*group)).unwrap();
        }
    }
}

/// A root, a server certificate from it for localhost and 127.0.0.1, and a root that has nothing to do with them.
fn certificates(directory: &Path) {
    let openssl = |words: &str| run(Command::new("openssl").args(words.split(' ')).current_dir(directory));
    for root in ["root", "other"] {
        openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {root}.key -out {root}.pem -days 2 -subj /CN={root}"
        ));
    }
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=server",
    );
    fs::write(directory.join("server.ext"), "subjectAltName=DNS:db.example.com,DNS:localhost\n").unwrap();
    openssl(
        "x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile server.ext -out server.pem",
    );
    fs::set_permissions(directory.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{:?}: {error}; install it", command.get_program()));
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self._keeper.stdin.take());
        let _ = self._keeper.wait();
        let mut rest = String::new();
        if let Some(stdout) = &mut self._keeper.stdout {
            let _ = stdout.read_to_string(&mut rest);
        }
    }
}
