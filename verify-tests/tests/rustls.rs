//! rustls-webpki verifies the path with its CRLs, and rustls shakes hands, both sides presenting what was issued.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use verify_tests::Workbench;
use webpki::{
    BorrowedCertRevocationList, CertRevocationList, EndEntityCert, KeyUsage, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};

const NAME: &str = "www.example.org";

const KEYS: [(&str, u32); 5] = [("rsa", 2048), ("ec", 256), ("ec", 384), ("ec", 521), ("ed25519", 0)];

#[test]
fn webpki_follows_the_path_and_the_crl() {
    for (key_type, key_bits) in KEYS {
        let bench = issued(key_type, key_bits);
        bench.ok("--mount pki_int crl show --format der --out before.crl");
        bench.ok("crl show --format der --out root.crl");
        let serial = bench.serial("tls/cert.pem");
        bench.ok(&format!("--mount pki_int revoke {serial} --reason superseded"));
        bench.ok("--mount pki_int crl rotate");
        bench.ok("--mount pki_int crl show --format der --out after.crl");

        for usage in [KeyUsage::server_auth(), KeyUsage::client_auth()] {
            assert_eq!(path(&bench, usage, &["before.crl", "root.crl"]), Ok(()), "{key_type} {key_bits}");
            assert_eq!(
                path(&bench, usage, &["after.crl", "root.crl"]),
                Err(webpki::Error::CertRevoked),
                "{key_type} {key_bits}"
            );
        }
    }
}

/// The path from the leaf to the root, with revocation checked for every certificate in it.
fn path(bench: &Workbench, usage: KeyUsage, crls: &[&str]) -> Result<(), webpki::Error> {
    let root = certificates(bench, "root.pem");
    let chain = certificates(bench, "tls/fullchain.pem");
    let crls: Vec<Vec<u8>> = crls.iter().map(|crl| bench.bytes(crl)).collect();
    let crls: Vec<CertRevocationList<'_>> = crls
        .iter()
        .map(|crl| {
            let crl = CertificateRevocationListDer::from(crl.as_slice());
            BorrowedCertRevocationList::from_der(&crl)
                .and_then(|crl| crl.to_owned())
                .map(CertRevocationList::from)
        })
        .collect::<Result<_, _>>()?;
    let crls: Vec<&CertRevocationList<'_>> = crls.iter().collect();
    let revocation = RevocationOptionsBuilder::new(&crls)
        .unwrap()
        .with_depth(RevocationCheckDepth::Chain)
        .with_status_policy(UnknownStatusPolicy::Deny)
        .build();
    let leaf = EndEntityCert::try_from(&chain[0])?;
    leaf.verify_is_valid_for_subject_name(&ServerName::try_from(NAME).unwrap())?;
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[anchor_from_trusted_cert(&root[0])?],
        &chain[1..],
        UnixTime::now(),
        usage,
        Some(revocation),
        None,
    )
    .map(|_| ())
}

#[test]
fn rustls_shakes_hands_with_each_kind_of_key() {
    for (key_type, key_bits) in KEYS {
        let bench = issued(key_type, key_bits);
        let mut roots = RootCertStore::empty();
        roots.add(certificates(&bench, "root.pem").remove(0)).unwrap();
        let roots = Arc::new(roots);
        let identity = || {
            let key = PrivateKeyDer::from_pem_slice(&bench.bytes("tls/key.pem")).unwrap();
            (certificates(&bench, "tls/fullchain.pem"), key)
        };

        let (chain, key) = identity();
        let server = ServerConfig::builder()
            .with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::clone(&roots)).build().unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        let (chain, key) = identity();
        let client =
            ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(chain, key).unwrap();

        let mut client =
            ClientConnection::new(Arc::new(client), ServerName::try_from(NAME).unwrap()).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            let mut read = wire.as_slice();
            while !read.is_empty() {
                server.read_tls(&mut read).unwrap();
                server.process_new_packets().unwrap();
            }
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            let mut read = wire.as_slice();
            while !read.is_empty() {
                client.read_tls(&mut read).unwrap();
                client.process_new_packets().unwrap();
            }
        }
        assert_eq!(server.peer_certificates().unwrap().len(), 2, "{key_type} {key_bits}");
    }
}

fn issued(key_type: &str, key_bits: u32) -> Workbench {
    let bench = Workbench::with_hierarchy(key_type, key_bits);
    bench.ok(&format!("--mount pki_int issue any --common-name {NAME} --ttl 24h --out tls/"));
    bench
}

fn certificates(bench: &Workbench, file: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(&bench.bytes(file)).collect::<Result<_, _>>().unwrap()
}
