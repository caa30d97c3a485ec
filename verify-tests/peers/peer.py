"""What Python's `cryptography` makes of a certificate, a CSR or a CRL. The commands are those of peer.go and Peer.java.

peer verify ROOT CHAIN LEAF NAME   builds the path at the present time; NAME "-" means none is asked
peer facts CERTIFICATE
peer contents CERTIFICATE          subject, names, policies and the rest, one line each
peer csr CSR                       checks the signature
peer crl CRL ISSUER                checks the signature, lists what is revoked
peer make-csr KEY-TYPE NAME OUT
peer ocsp-request CERTIFICATE ISSUER HASH OUT   with a nonce of 32 octets; Python only
peer ocsp-response RESPONSE REQUEST SIGNER      checks the signature and the nonce; Python only
peer make-csr-of-primes P Q E NAME OUT   an RSA key of these numbers, in hexadecimal; its key is written to OUT.key
"""

import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.x509 import ocsp, verification
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


def contents(file):
    certificate = certificates(file)[0]
    rdns = ("+".join(f"{a.oid.dotted_string}={a.value}" for a in rdn) for rdn in certificate.subject.rdns)
    print(f"subject {' '.join(rdns)}")
    names = extension(certificate, ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    for name in names.value if names else []:
        if isinstance(name, x509.OtherName):
            print(f"other-name {name.type_id.dotted_string} {name.value.hex()}")
        elif isinstance(name, x509.RegisteredID):
            print(f"registered-id {name.value.dotted_string}")
        elif isinstance(name, x509.DirectoryName):
            print(f"directory-name {name.value.rfc4514_string()}")
        else:
            print(f"name {name.value}")
    policies = extension(certificate, ExtensionOID.CERTIFICATE_POLICIES)
    for policy in policies.value if policies else []:
        print(f"policy {policy.policy_identifier.dotted_string}")
        for qualifier in policy.policy_qualifiers or []:
            text = qualifier if isinstance(qualifier, str) else qualifier.explicit_text
            print(f"qualifier {text}")
    purposes = extension(certificate, ExtensionOID.EXTENDED_KEY_USAGE)
    print(f"purposes {' '.join(purpose.dotted_string for purpose in purposes.value) if purposes else ''}")
    constraints = extension(certificate, ExtensionOID.BASIC_CONSTRAINTS)
    print(f"constraints {str(constraints.value.ca).lower() if constraints else 'absent'}")
    for other in certificate.extensions:
        if isinstance(other.value, x509.UnrecognizedExtension):
            print(f"extension {other.oid.dotted_string} {str(other.critical).lower()} {other.value.value.hex()}")


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


def ocsp_request(certificate, issuer, name, out):
    algorithm = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}[name]
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificates(certificate)[0], certificates(issuer)[0], algorithm()
    )
    request = builder.add_extension(x509.OCSPNonce(bytes(range(32))), critical=False).build()
    with open(out, "wb") as target:
        target.write(request.public_bytes(serialization.Encoding.DER))


def ocsp_response(response, request, signer):
    response = ocsp.load_der_ocsp_response(read(response))
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        print(f"response {response.response_status.name.lower()}")
        return
    key = certificates(signer)[0].public_key()
    signature, signed = response.signature, response.tbs_response_bytes
    # RSASSA-PSS (RFC 4055 3.1), whose hash the library does not read out of a response.
    pss = response.signature_algorithm_oid.dotted_string == "1.2.840.113549.1.1.10"
    digest = hashes.SHA256() if pss else response.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey):
        scheme = padding.PSS(padding.MGF1(digest), digest.digest_size) if pss else padding.PKCS1v15()
        key.verify(signature, signed, scheme, digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(digest))
    else:
        key.verify(signature, signed)
    asked = ocsp.load_der_ocsp_request(read(request)).extensions.get_extension_for_class(x509.OCSPNonce)
    said = response.extensions.get_extension_for_class(x509.OCSPNonce)
    assert asked.value.nonce == said.value.nonce, "another nonce"
    for single in response.responses:
        reason = REASONS[single.revocation_reason] if single.revocation_reason else "-"
        print(f"{single.serial_number:x} {single.certificate_status.name.lower()} reason {reason}")


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


def make_csr_of_primes(p, q, e, name, out):
    p, q, e = (int(number, 16) for number in (p, q, e))
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(e, p * q)
    )
    key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .sign(key, hashes.SHA256())
    )
    with open(out, "wb") as target:
        target.write(request.public_bytes(serialization.Encoding.PEM))
    with open(out + ".key", "wb") as target:
        target.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


COMMANDS = {
    "verify": verify,
    "facts": facts,
    "contents": contents,
    "csr": csr,
    "crl": crl,
    "make-csr": make_csr,
    "ocsp-request": ocsp_request,
    "ocsp-response": ocsp_response,
    "make-csr-of-primes": make_csr_of_primes,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
