#!/bin/sh
# From nothing to a TLS certificate. Runs in an empty directory with `pki` on the PATH.
# The last command is refused on purpose: `grade-api.svc.cluster.local` is the allowed domain itself,
# and the role does not yet say --allow-bare-domains. The script ends with that command's exit code, 1.
set -e

export PKI_STORE=$PWD/demo
pki init --no-seal
pki mount tune pki --max-lease-ttl 87600h
pki mount enable pki_int --max-lease-ttl 43800h
pki root generate --common-name grade-api-root-ca --issuer-name root-2026 --ttl 87600h --out root-ca.crt
pki config urls write --issuing-certificates https://ca.example/v1/pki/ca --crl-distribution-points https://ca.example/v1/pki/crl
pki --mount pki_int intermediate generate --common-name grade-api-intermediate-ca --issuer-name grade-api-intermediate --out intermediate.csr
pki root sign-intermediate --issuer-ref root-2026 --csr intermediate.csr --ttl 43800h --format pem_bundle --out intermediate.cert.pem
pki --mount pki_int intermediate set-signed intermediate.cert.pem
pki --mount pki_int role write grade-api-tls --issuer-ref grade-api-intermediate \
    --allowed-domains grade-api.svc.cluster.local,grade-api.grade-api.svc.cluster.local --allow-subdomains=true \
    --allow-localhost=false --max-ttl 720h --key-type rsa --key-bits 2048 --require-cn=false --server-flag=true --client-flag=true
pki --mount pki_int issue grade-api-tls --common-name grade-api.grade-api.svc.cluster.local \
    --alt-names grade-api.grade-api.svc.cluster.local,grade-api.svc.cluster.local --ttl 24h --out tls/
