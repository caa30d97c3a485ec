import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/**
 * What Java makes of a certificate or a CRL. The commands are those of peer.go and peer.py; Java has no CSR in its
 * public API, keytool has.
 *
 * <pre>
 * Peer verify ROOT CHAIN LEAF NAME   validates the path at the present time; NAME is not looked at
 * Peer facts CERTIFICATE
 * Peer crl CRL ISSUER                checks the signature, lists what is revoked
 * </pre>
 */
public final class Peer {
    private static final int DNS_NAME = 2;

    public static void main(String[] words) throws Exception {
        switch (words[0]) {
            case "verify" -> verify(words[1], words[2], words[3]);
            case "facts" -> facts(words[1]);
            case "crl" -> crl(words[1], words[2]);
            default -> throw new IllegalArgumentException("no such command: " + words[0]);
        }
    }

    private static void verify(String root, String chain, String leaf) throws Exception {
        List<X509Certificate> path = new ArrayList<>(certificates(leaf).subList(0, 1));
        if (!chain.equals("-")) {
            path.addAll(certificates(chain));
        }
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(certificates(root).get(0), null)));
        parameters.setRevocationEnabled(false);
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(path), parameters);
        System.out.println("verified");
    }

    private static void facts(String file) throws Exception {
        X509Certificate certificate = certificates(file).get(0);
        List<String> names = new ArrayList<>();
        Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
        if (alternatives != null) {
            for (List<?> name : alternatives) {
                if ((Integer) name.get(0) == DNS_NAME) {
                    names.add((String) name.get(1));
                }
            }
        }
        Set<String> critical = certificate.getCriticalExtensionOIDs();
        System.out.println("serial " + certificate.getSerialNumber().toString(16));
        System.out.println("common-name " + commonName(certificate.getSubjectX500Principal().getName()));
        System.out.println("dns " + String.join(",", names));
        System.out.println("not-before " + certificate.getNotBefore().getTime() / 1000);
        System.out.println("not-after " + certificate.getNotAfter().getTime() / 1000);
        System.out.println("ca " + (certificate.getBasicConstraints() >= 0));
        System.out.println("san-critical " + (critical != null && critical.contains("2.5.29.17")));
    }

    private static void crl(String file, String issuer) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509CRL list = (X509CRL) factory.generateCRL(new ByteArrayInputStream(Files.readAllBytes(Path.of(file))));
        X509Certificate authority = certificates(issuer).get(0);
        list.verify(authority.getPublicKey());
        if (list.getRevokedCertificates() == null) {
            return;
        }
        for (X509CRLEntry entry : list.getRevokedCertificates()) {
            BigInteger serial = entry.getSerialNumber();
            byte[] reason = entry.getExtensionValue("2.5.29.21");
            // An OCTET STRING with an ENUMERATED of one octet: its value is the last octet.
            int value = reason == null ? 0 : reason[reason.length - 1];
            System.out.println("revoked " + serial.toString(16) + " reason " + value);
        }
    }

    private static List<X509Certificate> certificates(String file) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        byte[] text = Files.readAllBytes(Path.of(file));
        return factory.generateCertificates(new ByteArrayInputStream(text)).stream()
            .map(X509Certificate.class::cast)
            .collect(Collectors.toList());
    }

    private static String commonName(String subject) throws Exception {
        for (Rdn rdn : new LdapName(subject).getRdns()) {
            if (rdn.getType().equalsIgnoreCase("CN")) {
                return rdn.getValue().toString();
            }
        }
        return "";
    }
}
