// What Go's standard library makes of a certificate, a CSR or a CRL. The commands are those of peer.py and Peer.java.
//
//	peer verify ROOT CHAIN LEAF NAME   builds the path at the present time; NAME "-" means none is asked
//	peer facts CERTIFICATE
//	peer csr CSR                       checks the signature
//	peer crl CRL ISSUER                checks the signature, lists what is revoked
//	peer make-csr KEY-TYPE NAME OUT
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(words []string) error {
	switch {
	case len(words) == 5 && words[0] == "verify":
		return verify(words[1], words[2], words[3], words[4])
	case len(words) == 2 && words[0] == "facts":
		return facts(words[1])
	case len(words) == 2 && words[0] == "csr":
		return csr(words[1])
	case len(words) == 3 && words[0] == "crl":
		return crl(words[1], words[2])
	case len(words) == 4 && words[0] == "make-csr":
		return makeCSR(words[1], words[2], words[3])
	}
	return fmt.Errorf("peer: no such command: %q", words)
}

func verify(root, chain, leaf, name string) error {
	options := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	roots, err := certificates(root)
	if err != nil {
		return err
	}
	for _, certificate := range roots {
		options.Roots.AddCert(certificate)
	}
	if chain != "-" {
		issuers, err := certificates(chain)
		if err != nil {
			return err
		}
		for _, certificate := range issuers {
			options.Intermediates.AddCert(certificate)
		}
	}
	if name != "-" {
		options.DNSName = name
	}
	leaves, err := certificates(leaf)
	if err != nil {
		return err
	}
	if _, err := leaves[0].Verify(options); err != nil {
		return err
	}
	fmt.Println("verified")
	return nil
}

func facts(file string) error {
	all, err := certificates(file)
	if err != nil {
		return err
	}
	certificate := all[0]
	critical := false
	for _, extension := range certificate.Extensions {
		if extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			critical = extension.Critical
		}
	}
	fmt.Printf("serial %x\n", certificate.SerialNumber)
	fmt.Printf("common-name %s\n", certificate.Subject.CommonName)
	fmt.Printf("dns %s\n", strings.Join(certificate.DNSNames, ","))
	fmt.Printf("not-before %d\n", certificate.NotBefore.Unix())
	fmt.Printf("not-after %d\n", certificate.NotAfter.Unix())
	fmt.Printf("ca %t\n", certificate.BasicConstraintsValid && certificate.IsCA)
	fmt.Printf("san-critical %t\n", critical)
	return nil
}

func csr(file string) error {
	der, err := block(file, "CERTIFICATE REQUEST")
	if err != nil {
		return err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return err
	}
	if err := request.CheckSignature(); err != nil {
		return err
	}
	fmt.Printf("common-name %s\n", request.Subject.CommonName)
	return nil
}

func crl(file, issuer string) error {
	der, err := block(file, "X509 CRL")
	if err != nil {
		return err
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	issuers, err := certificates(issuer)
	if err != nil {
		return err
	}
	if err := list.CheckSignatureFrom(issuers[0]); err != nil {
		return err
	}
	for _, entry := range list.RevokedCertificates {
		reason := 0
		for _, extension := range entry.Extensions {
			if extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 21}) {
				var value asn1.Enumerated
				if _, err := asn1.Unmarshal(extension.Value, &value); err != nil {
					return err
				}
				reason = int(value)
			}
		}
		fmt.Printf("revoked %x reason %d\n", entry.SerialNumber, reason)
	}
	return nil
}

func makeCSR(keyType, name, out string) error {
	var key crypto.Signer
	var err error
	switch keyType {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ec":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("peer: no such key type: %q", keyType)
	}
	if err != nil {
		return err
	}
	template := x509.CertificateRequest{Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}}
	der, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	if err != nil {
		return err
	}
	return os.WriteFile(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 0o644)
}

func certificates(file string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for {
		var found *pem.Block
		found, text = pem.Decode(text)
		if found == nil {
			break
		}
		certificate, err := x509.ParseCertificate(found.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, certificate)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return all, nil
}

func block(file, label string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	found, _ := pem.Decode(text)
	if found == nil || found.Type != label {
		return nil, fmt.Errorf("%s holds no %s", file, label)
	}
	return found.Bytes, nil
}
