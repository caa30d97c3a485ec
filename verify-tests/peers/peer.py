"""What Python's `cryptography` makes of a certificate, a CSR or a CRL. The commands are those of peer.go and Peer.java.

peer verify ROOT CHAIN LEAF NAME   builds the path at the present time; NAME "-" means none is asked
peer facts CERTIFICATE
peer csr CSR                       checks the signature
peer crl CRL ISSUER                checks the signature, lists what is revoked
peer make-csr KEY-TYPE NAME OUT
"""

import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtensionOID, NameOID

# RFC 5280, 5.3.1
REASONS = {
    x509.ReasonFlags.unspecified: 0,
    x509.ReasonFlags.key_compromise: 1,
    x509.ReasonFlags.ca_compromise: 2,
    x509.ReasonFlags.affiliation_changed: 3,
    x509.ReasonFlags.superseded: 4,
    x509.ReasonFlags.cessation_of_operation: 5,
    x509.ReasonFlags.certificate_hold: 6,
    x509.ReasonFlags.remove_from_crl: 8,
    x509.ReasonFlags.privilege_withdrawn: 9,
    x509.ReasonFlags.aa_compromise: 10,
}


BEYOND_WEB = (ed25519.Ed25519PublicKey, mldsa.MLDSA44PublicKey, mldsa.MLDSA65PublicKey, mldsa.MLDSA87PublicKey)


def read(file):
    with open(file, "rb") as source:
        return source.read()


def certificates(file):
    return [] if file == "-" else x509.load_pem_x509_certificates(read(file))


def extension(certificate, oid):
    try:
        return certificate.extensions.get_extension_for_oid(oid)
    except x509.ExtensionNotFound:
        return None


def common_name(name):
    return ",".join(attribute.value for attribute in name.get_attributes_for_oid(NameOID.COMMON_NAME))


def verify(root, chain, leaf, name):
    (trusted,), issuers, (certificate,) = certificates(root), certificates(chain), certificates(leaf)
    keys = [holder.public_key() for holder in (trusted, *issuers, certificate)]
    if any(isinstance(key, BEYOND_WEB) for key in keys):
        # The path builder knows the Web PKI's algorithms only.
        for lower, upper in zip([certificate, *issuers], [*issuers, trusted]):
            lower.verify_directly_issued_by(upper)
    elif name == "-":
        verification.PolicyBuilder().store(verification.Store([trusted])).build_client_verifier().verify(
            certificate, issuers
        )
    else:
        verification.PolicyBuilder().store(verification.Store([trusted])).build_server_verifier(
            x509.DNSName(name)
        ).verify(certificate, issuers)
    print("verified")


def facts(file):
    certificate = certificates(file)[0]
    names = extension(certificate, ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    constraints = extension(certificate, ExtensionOID.BASIC_CONSTRAINTS)
    dns = names.value.get_values_for_type(x509.DNSName) if names else []
    print(f"serial {certificate.serial_number:x}")
    print(f"common-name {common_name(certificate.subject)}")
    print(f"dns {','.join(dns)}")
    print(f"not-before {int(certificate.not_valid_before_utc.timestamp())}")
    print(f"not-after {int(certificate.not_valid_after_utc.timestamp())}")
    print(f"ca {str(bool(constraints and constraints.value.ca)).lower()}")
    print(f"san-critical {str(bool(names and names.critical)).lower()}")


def csr(file):
    request = x509.load_pem_x509_csr(read(file))
    if not request.is_signature_valid:
        sys.exit("the CSR's signature is not valid")
    print(f"common-name {common_name(request.subject)}")


def crl(file, issuer):
    revoked = x509.load_pem_x509_crl(read(file))
    if not revoked.is_signature_valid(certificates(issuer)[0].public_key()):
        sys.exit("the CRL's signature is not the issuer's")
    for entry in revoked:
        reason = extension(entry, x509.CRLEntryExtensionOID.CRL_REASON)
        print(f"revoked {entry.serial_number:x} reason {REASONS[reason.value.reason] if reason else 0}")


def make_csr(key_type, name, out):
    make = {
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ml-dsa-44": mldsa.MLDSA44PrivateKey.generate,
        "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate,
        "ml-dsa-87": mldsa.MLDSA87PrivateKey.generate,
    }
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(make[key_type](), hashes.SHA256() if key_type in ("rsa", "ec") else None)
    )
    with open(out, "wb") as target:
        target.write(request.public_bytes(serialization.Encoding.PEM))


COMMANDS = {"verify": verify, "facts": facts, "csr": csr, "crl": crl, "make-csr": make_csr}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
