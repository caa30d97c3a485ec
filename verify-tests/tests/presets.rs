//! The sets of files for servers, before the servers: PostgreSQL shakes hands, nginx and HAProxy check their configuration,
//! Java opens Kafka's stores. Envoy is not in Debian: its file is only read here.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use verify_tests::{Workbench, wait_until};

const ISSUE: &str = "--mount pki_int issue any --common-name db.example.org";

fn mode(bench: &Workbench, name: &str) -> u32 {
    std::fs::metadata(bench.path().join(name)).map_or(0, |metadata| metadata.permissions().mode() & 0o777)
}

/// The files of a preset, with the ones that others must not read.
#[test]
fn each_preset_has_its_files_and_is_renewed_as_a_whole() {
    for (preset, files, secret, certificate) in [
        (
            "nginx",
            &["ca.pem", "fullchain.pem", "key.pem", "nginx.conf"][..],
            &["key.pem"][..],
            "fullchain.pem",
        ),
        ("haproxy", &["ca.pem", "haproxy.pem"], &["haproxy.pem"], "haproxy.pem"),
        (
            "envoy",
            &["certificate_chain.pem", "private_key.pem", "sds.yaml", "trusted_ca.pem"],
            &["private_key.pem"],
            "certificate_chain.pem",
        ),
        ("postgres", &["root.crt", "server.crt", "server.key"], &["server.key"], "server.crt"),
        (
            "kafka",
            &["cert.pem", "kafka.properties", "keystore.p12", "password", "truststore.p12"],
            &["kafka.properties", "keystore.p12", "password"],
            "cert.pem",
        ),
    ] {
        let bench = Workbench::with_hierarchy("ec", 256);
        let line = format!("{ISSUE} --for {preset} --out tls/");
        bench.ok(&line);
        assert_eq!(bench.list("tls"), files, "{preset}");
        for file in files {
            let wanted = if secret.contains(file) { 0o600 } else { 0o644 };
            assert_eq!(mode(&bench, &format!("tls/{file}")), wanted, "{preset}: {file}");
        }
        // It is not replaced unasked; it is left alone while it is good; else all of it is exchanged.
        bench.refused(&line, 2, "exists and is not replaced", "--replace");
        let certificate = format!("tls/{certificate}");
        let before = bench.serial(&certificate);
        let kept = bench.ok(&format!("{line} --replace --renew-before 1h"));
        assert!(kept.stderr.contains("nothing to do"), "{kept}");
        assert_eq!(bench.serial(&certificate), before);
        bench.write("tls/notes", "stays");
        bench.ok(&format!("{line} --replace --renew-before 800h"));
        assert_ne!(bench.serial(&certificate), before, "{preset}");
        assert_eq!(bench.text("tls/notes"), "stays");
    }
}

#[test]
fn with_a_csr_the_key_stays_with_its_requester() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.tool("openssl", "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -subj /CN=db.example.org -out r.csr");
    bench.ok("--mount pki_int sign any --csr r.csr --for nginx --out tls/");
    assert_eq!(bench.list("tls"), ["ca.pem", "fullchain.pem", "nginx.conf"]);
    std::fs::copy(bench.path().join("k.pem"), bench.path().join("tls/key.pem")).unwrap_or_default();
    nginx_accepts(&bench);
}

fn nginx_accepts(bench: &Workbench) {
    let here = bench.path().display();
    bench.write(
        "test.conf",
        format!(
            "pid {here}/nginx.pid; error_log stderr; events {{}}\n\
             http {{ access_log off; server {{ listen 127.0.0.1:4443 ssl; include {here}/tls/nginx.conf; }} }}\n"
        ),
    );
    let config = format!("{here}/test.conf");
    let prefix = here.to_string();
    bench.tool_words("nginx", &["-t", "-p", &prefix, "-c", &config]).expect_code(0);
}

#[test]
fn nginx_accepts_its_files() {
    let bench = Workbench::with_hierarchy("rsa", 2048);
    bench.ok(&format!("{ISSUE} --for nginx --out tls/"));
    nginx_accepts(&bench);
}

#[test]
fn haproxy_accepts_its_file() {
    let bench = Workbench::with_hierarchy("ec", 256);
    let told = bench.ok(&format!("{ISSUE} --for haproxy --out tls/")).text();
    let bind = told.lines().find(|line| line.starts_with("bind ")).unwrap_or_default();
    let both = format!("{bind} ca-file {}/tls/ca.pem verify required", bench.path().display());
    for bind in [bind, &both] {
        bench.write(
            "haproxy.cfg",
            format!("defaults\n mode http\n timeout client 9s\nfrontend f\n {bind}\n http-request return status 200\n"),
        );
        bench.tool("haproxy", "-c -f haproxy.cfg");
    }
    // Without its key the file is none: the check looks at what it is given.
    let text = bench.text("tls/haproxy.pem");
    bench.write("tls/haproxy.pem", text.split("-----BEGIN EC").next().unwrap_or_default());
    assert_ne!(bench.tool_words("haproxy", &["-c", "-f", "haproxy.cfg"]).code, 0);
}

#[test]
fn java_opens_the_stores_for_kafka() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.ok(&format!("{ISSUE} --for kafka --out tls/"));
    let list = |store: &str| {
        let words = ["-list", "-v", "-keystore", store, "-storepass:file", "tls/password"];
        bench.tool_words("keytool", &words).expect_code(0).text()
    };
    let keys = list("tls/keystore.p12");
    assert!(keys.contains("PrivateKeyEntry") && keys.contains("chain length: 3"), "{keys}");
    let trusted = list("tls/truststore.p12");
    assert!(trusted.contains("trustedCertEntry") && trusted.contains("CN=test-root"), "{trusted}");
    let properties = bench.text("tls/kafka.properties");
    let password = bench.text("tls/password");
    assert_eq!(properties.matches(&password).count(), 3);
    for key in ["keystore", "truststore"] {
        let line = format!("ssl.{key}.location={}/tls/{key}.p12\n", bench.path().display());
        assert!(properties.contains(&line), "{properties}");
    }
}

#[test]
fn the_file_for_envoy_names_files_that_are_there() {
    let bench = Workbench::with_hierarchy("ec", 256);
    bench.ok(&format!("{ISSUE} --for envoy --out tls/"));
    let sds: Value = serde_json::from_str(&bench.text("tls/sds.yaml")).unwrap_or_default();
    let chain = &sds["resources"][0]["tls_certificate"];
    let trusted = &sds["resources"][1]["validation_context"]["trusted_ca"];
    for file in [&chain["certificate_chain"], &chain["private_key"], trusted] {
        let named = file["filename"].as_str().unwrap_or_default();
        assert!(Path::new(named).is_file(), "{sds}");
    }
    bench.tool(
        "openssl",
        "verify -CAfile tls/trusted_ca.pem -untrusted tls/certificate_chain.pem tls/certificate_chain.pem",
    );
}

/// A PostgreSQL server, ended with this value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn postgresql_serves_its_files() {
    let bench = Workbench::with_hierarchy("ec", 256);
    // The server refuses to run as root, and its account has to reach its files.
    let bin = PathBuf::from(bench.tool("pg_config", "--bindir").text().trim());
    let is_root = bench.tool("id", "-u").text().trim() == "0";
    let own = |name: &str| {
        if is_root {
            bench.tool("chown", &format!("-R postgres:postgres {name}"));
        }
    };
    if is_root {
        let _ = std::fs::set_permissions(bench.path(), std::fs::Permissions::from_mode(0o755));
    }
    let as_server = |program: &str, words: &[&str]| {
        let program = bin.join(program).display().to_string();
        let account = ["--reuid=postgres", "--regid=postgres", "--clear-groups", &program];
        let mut command = bench.command(Path::new(if is_root { "setpriv" } else { &program }));
        if is_root {
            command.args(account);
        }
        command.args(words).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    bench.tool("mkdir", "data");
    own("data");
    let made = as_server("initdb", &["-D", "data", "-U", "postgres", "-A", "trust", "--no-sync"]).status();
    assert!(made.is_ok_and(|status| status.success()), "initdb failed");

    let line = format!("{ISSUE} --for postgres --out tls/");
    let told = bench.ok(&line).text();
    own("tls");
    let settings: String =
        told.lines().filter(|line| line.starts_with("ssl")).map(|line| format!("{line}\n")).collect();
    assert_eq!(settings.lines().count(), 4, "{told}");
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .map_or(0, |at| at.port());
    let mut conf = bench.text("data/postgresql.conf");
    conf.push_str(&format!(
        "{settings}port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n"
    ));
    bench.write("data/postgresql.conf", conf);
    let server = as_server("postgres", &["-D", "data"]).spawn();
    let Ok(server) = server else { panic!("PostgreSQL does not start") };
    let server = Server(server);

    let root = bench.path().join("tls/root.crt").display().to_string();
    let ask = |host: &str| {
        let target = format!(
            "host={host} hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=verify-full sslrootcert={root}"
        );
        let query = "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()";
        bench.tool_words("psql", &[&target, "-At", "-c", query])
    };
    wait_until("PostgreSQL", || ask("db.example.org").code == 0);
    assert_eq!(ask("db.example.org").expect_code(0).text(), "t|TLSv1.3\n");
    let other = ask("other.example.org");
    assert!(other.code != 0 && other.stderr.contains("does not match host name"), "{other}");

    // A renewed set is served after a reload: the files keep their owner and their names.
    let served = || {
        let target = format!("127.0.0.1:{port}");
        let words = ["s_client", "-starttls", "postgres", "-connect", &target];
        bench.write("served.pem", bench.tool_words("openssl", &words).stdout);
        bench.serial("served.pem")
    };
    let before = bench.serial("tls/server.crt");
    assert_eq!(served(), before);
    bench.ok(&format!("{line} --replace --renew-before 800h"));
    let after = bench.serial("tls/server.crt");
    assert_ne!(after, before);
    bench.tool("kill", &format!("-HUP {}", server.0.id()));
    wait_until("the new certificate", || served() == after);
    assert_eq!(ask("db.example.org").expect_code(0).text(), "t|TLSv1.3\n");
}
