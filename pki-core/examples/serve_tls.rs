//! Serve TLS with what was issued: a root, an intermediate below it, a server's and a client's certificate, and a
//! handshake of rustls in which both sides prove who they are.
//!
//! `cargo run -p pki-core --features aws-lc --example serve_tls` shakes hands with itself over a loopback socket.
//!
//! `cargo run -p pki-core --features aws-lc --example serve_tls -- 127.0.0.1:8443 > client.pem` serves until stopped;
//! then `curl --cacert client.pem --cert client.pem https://localhost:8443/` is let in, and who has no certificate
//! is not.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pki_core::certificate::Certificate;
use pki_core::extension::Endpoints;
use pki_core::hierarchy::{CaRequest, permit_ca};
use pki_core::issue::{AskedLifetime, AskedNames, CommonName, IssueRequest};
use pki_core::issuer::{Issuer, IssuerCertificate};
use pki_core::key::software::SoftwareKey;
use pki_core::key::{KeyAlgorithm, KeyType, PrivateKeyDer, SigningKey};
use pki_core::name::DistinguishedName;
use pki_core::pem;
use pki_core::random::RandomError;
use pki_core::role::{Limits, Role, RoleConfig};
use pki_core::time::UnixTime;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn main() -> Outcome<()> {
    let now =
        UnixTime::from_secs(std::time::UNIX_EPOCH.elapsed()?.as_secs()).ok_or("the clock is past 9999")?;
    let ca = authorities(now)?;

    // One role for each side: a server's certificate is not good for a client, and the other way round.
    let servers = RoleConfig { client_flag: false, ..RoleConfig::default() };
    let clients = RoleConfig { server_flag: false, ..RoleConfig::for_domains(["clients.example"]) };
    let server = Identity::issue(&ca, servers, "localhost", now)?;
    let client = Identity::issue(&ca, clients, "reporter.clients.example", now)?;

    // Trust begins at the root alone; the intermediate travels with each leaf.
    let mut roots = RootCertStore::empty();
    for issuer in ca.chain().skip(1) {
        roots.add(CertificateDer::from(issuer.certificate().der()))?;
    }
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots.clone())).build()?;
    let serving = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(server.chain(), server.private_key())?;
    let serving = Arc::new(serving);

    if let Some(address) = std::env::args().nth(1) {
        let listener = TcpListener::bind(address)?;
        print!(
            "{}{}",
            client.to_pem(),
            ca.chain().map(|issuer| issuer.certificate().to_pem()).collect::<String>()
        );
        std::io::stdout().flush()?;
        for socket in listener.incoming() {
            if let Err(error) = serve(Arc::clone(&serving), socket?) {
                eprintln!("refused: {error}");
            }
        }
        return Ok(());
    }

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let served = thread::spawn(move || serve(serving, listener.accept()?.0));
    let asking = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_client_auth_cert(client.chain(), client.private_key())?;
    let connection = ClientConnection::new(Arc::new(asking), "localhost".try_into()?)?;
    let mut tls = StreamOwned::new(connection, TcpStream::connect(address)?);
    tls.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    tls.read_to_string(&mut answer)?;
    served.join().map_err(|_| "the server panicked")??;

    println!("version:  {:?}", tls.conn.protocol_version().ok_or("no handshake")?);
    println!("suite:    {:?}", tls.conn.negotiated_cipher_suite().ok_or("no handshake")?.suite());
    println!("server:   {}", subject(tls.conn.peer_certificates())?);
    println!("it says:  {}", answer.lines().last().unwrap_or_default());
    Ok(())
}

/// A root for ten years, whose key could now be locked away, and below it the intermediate that issues.
fn authorities(now: UnixTime) -> Outcome<Issuer<SoftwareKey>> {
    let mut rng = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
    let limits = Limits { default_ttl: DAY * 365, max_ttl: DAY * 3650 };
    let lifetime = AskedLifetime::Ttl(DAY * 3650);
    let request =
        CaRequest { lifetime, ..CaRequest::new(DistinguishedName::with_common_name("Example Root")?) };
    let key = SoftwareKey::generate(KeyAlgorithm::EcP384, &mut rng)?;
    let root = Issuer::self_signed(request, key, &limits, now, &mut rng)?;

    let key = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut rng)?;
    let request = CaRequest::new(DistinguishedName::with_common_name("Example Intermediate")?);
    let permitted = permit_ca(request, key.public_key().clone(), &limits, now)?;
    let certificate = root.issue(permitted, &Endpoints::default(), now, &mut rng)?;
    let chain = root.chain().cloned().collect();
    // With its chain, the intermediate also keeps the limits of the root when it issues.
    Ok(Issuer::new(IssuerCertificate::new(certificate)?, key)?.with_chain(chain)?)
}

/// A key, its certificate, and the intermediate that signed it.
struct Identity {
    certificate: Certificate,
    intermediate: Certificate,
    key: PrivateKeyDer,
}

impl Identity {
    fn issue(ca: &Issuer<SoftwareKey>, role: RoleConfig, name: &str, now: UnixTime) -> Outcome<Self> {
        let mut rng = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
        let role = RoleConfig { key_type: pki_core::role::RoleKeyType::Any, ..role };
        let request = IssueRequest {
            names: AskedNames { common_name: Some(CommonName::parse(name)?), ..AskedNames::default() },
            // A day: what ends so soon need not be revoked.
            lifetime: AskedLifetime::Ttl(DAY),
            key: Some((KeyType::Ec, 256)),
            ..IssueRequest::default()
        };
        let permitted = Role::new(role)?.permit(request, &Limits::default(), now)?;
        // The role has agreed; only now is a key made.
        let key = SoftwareKey::generate(permitted.key_algorithm(), &mut rng)?;
        let permitted = permitted.with_key(key.public_key().clone())?;
        let certificate = ca.issue(permitted, &Endpoints::default(), now, &mut rng)?;
        let intermediate = ca.certificate().certificate().clone();
        Ok(Self { certificate, intermediate, key: key.to_private_key()? })
    }

    /// Leaf first, then who signed it. The root is left out: the other side has it, or does not trust it.
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        [&self.certificate, &self.intermediate].map(|c| CertificateDer::from(c.der().to_vec())).to_vec()
    }

    fn private_key(&self) -> rustls::pki_types::PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.pkcs8_der().to_vec()).into()
    }

    fn to_pem(&self) -> String {
        self.certificate.to_pem() + &pem::encode(pem::PRIVATE_KEY, self.key.pkcs8_der())
    }
}

/// Answers one request with the name of who asks.
fn serve(config: Arc<ServerConfig>, socket: TcpStream) -> Outcome<()> {
    let mut tls = StreamOwned::new(ServerConnection::new(config)?, socket);
    // The handshake happens with the first read; without a certificate from the client it fails here.
    let read = tls.read(&mut [0; 4096])?;
    let client = subject(tls.conn.peer_certificates())?;
    write!(tls, "HTTP/1.0 200 OK\r\n\r\nhello {client}, your request has {read} octets\n")?;
    tls.conn.send_close_notify();
    tls.flush()?;
    Ok(())
}

/// The name in the leaf of a chain.
fn subject(chain: Option<&[CertificateDer<'_>]>) -> Outcome<DistinguishedName> {
    let leaf = chain.and_then(|chain| chain.first()).ok_or("the other side showed no certificate")?;
    Ok(Certificate::from_der(leaf)?.subject().clone())
}
