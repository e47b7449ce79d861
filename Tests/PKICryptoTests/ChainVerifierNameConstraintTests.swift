import PKI
import PKICrypto
import Testing
import X509

/// The name constraints of a signing certificate against the names of the leaf below it.
@Suite struct `Name constraints` {
    struct Sample: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let constraints: NameConstraints
        var names: [GeneralName] = []
        /// The name that is refused; nil: all pass.
        var refused: String?
    }

    private static let uri = "spiffe://payments/api"

    static let samples: [Sample] = [
        .init(testDescription: "our own constraints permit our own name", constraints: Forge.constraints()),
        .init(testDescription: "the host itself is permitted", constraints: .init(permittedURIDomains: ["payments"])),
        .init(testDescription: "hosts have no case", constraints: .init(permittedURIDomains: ["PAYMENTS"])),
        .init(testDescription: "one of several hosts", constraints: .init(permittedURIDomains: ["orders", "payments"])),
        .init(testDescription: "another host", constraints: .init(permittedURIDomains: ["orders"]), refused: uri),
        .init(testDescription: "a host is not its subdomains", constraints: .init(permittedURIDomains: ["ments"]), refused: uri),
        .init(
            testDescription: "a leading dot means subdomains only", constraints: .init(permittedURIDomains: [".payments"]),
            refused: uri),
        .init(
            testDescription: "a whole URI is no host", constraints: .init(permittedURIDomains: ["spiffe://payments"]),
            refused: uri),
        .init(testDescription: "an empty host permits nothing", constraints: .init(permittedURIDomains: [""]), refused: uri),
        .init(testDescription: "an excluded host", constraints: .init(forbiddenURIDomains: ["payments"]), refused: uri),
        .init(testDescription: "another excluded host", constraints: .init(forbiddenURIDomains: ["orders"])),
        .init(testDescription: "an empty host excludes all", constraints: .init(forbiddenURIDomains: [""]), refused: uri),
        .init(
            testDescription: "a malformed exclusion excludes all", constraints: .init(forbiddenURIDomains: ["spiffe://orders"]),
            refused: uri),
        .init(
            testDescription: "permitted and excluded",
            constraints: .init(permittedURIDomains: ["payments"], forbiddenURIDomains: ["payments"]), refused: uri),
        .init(
            testDescription: "every DNS name is excluded", constraints: Forge.constraints(), names: [.dnsName("api.example.org")],
            refused: "DNS:api.example.org"),
        .init(
            testDescription: "IPv4 is excluded", constraints: Forge.constraints(),
            names: [.ipAddress(Forge.address([10, 0, 0, 1]))],
            refused: "IP:0a000001"),
        .init(
            testDescription: "IPv6 is excluded", constraints: Forge.constraints(),
            names: [.ipAddress(Forge.address([UInt8](repeating: 1, count: 16)))], refused: "IP:01010101010101010101010101010101"),
        .init(testDescription: "DNS constraints leave the URI alone", constraints: .init(permittedDNSDomains: ["example.org"])),
        .init(
            testDescription: "a domain itself", constraints: .init(permittedDNSDomains: ["example.org"]),
            names: [.dnsName("Example.Org")]),
        .init(
            testDescription: "below a domain", constraints: .init(permittedDNSDomains: ["example.org"]),
            names: [.dnsName("a.example.org")]),
        .init(
            testDescription: "not at a label's border", constraints: .init(permittedDNSDomains: ["example.org"]),
            names: [.dnsName("anexample.org")], refused: "DNS:anexample.org"),
        .init(
            testDescription: "a wildcard that may reach an excluded domain",
            constraints: .init(excludedDNSDomains: ["a.example.org"]),
            names: [.dnsName("*.example.org")], refused: "DNS:*.example.org"),
        .init(
            testDescription: "a wildcard wider than what is permitted",
            constraints: .init(permittedDNSDomains: ["a.example.org"]),
            names: [.dnsName("*.example.org")], refused: "DNS:*.example.org"),
        .init(
            testDescription: "a malformed DNS name", constraints: .init(excludedDNSDomains: ["example.org"]),
            names: [.dnsName("a..b")], refused: "DNS:a..b"),
        .init(
            testDescription: "a DNS name with a dot at its end", constraints: .init(excludedDNSDomains: ["example.org"]),
            names: [.dnsName("example.org.")], refused: "DNS:example.org."),
        .init(
            testDescription: "an address inside a permitted range",
            constraints: .init(permittedIPRanges: [Forge.address([10, 0, 0, 0, 255, 128, 0, 0])]),
            names: [.ipAddress(Forge.address([10, 127, 0, 1]))]),
        .init(
            testDescription: "an address beside a permitted range",
            constraints: .init(permittedIPRanges: [Forge.address([10, 0, 0, 0, 255, 128, 0, 0])]),
            names: [.ipAddress(Forge.address([10, 128, 0, 1]))], refused: "IP:0a800001"),
        .init(
            testDescription: "a mask with a gap permits nothing",
            constraints: .init(permittedIPRanges: [Forge.address([10, 0, 0, 0, 255, 0, 255, 0])]),
            names: [.ipAddress(Forge.address([10, 0, 0, 1]))], refused: "IP:0a000001"),
        .init(
            testDescription: "a mask with a gap excludes all",
            constraints: .init(excludedIPRanges: [Forge.address([10, 0, 0, 0, 0, 255, 0, 0])]),
            names: [.ipAddress(Forge.address([11, 1, 0, 1]))], refused: "IP:0b010001"),
        .init(
            testDescription: "another excluded range",
            constraints: .init(excludedIPRanges: [Forge.address([10, 0, 0, 0, 255, 0, 0, 0])]),
            names: [.ipAddress(Forge.address([11, 0, 0, 1]))]),
        .init(
            testDescription: "a form that is not processed refuses names of the form",
            constraints: .init(excludedEmailAddresses: ["example.org"]), names: [.rfc822Name("a@example.com")],
            refused: "email:a@example.com"),
        .init(
            testDescription: "a form that is not processed leaves other names alone",
            constraints: .init(excludedEmailAddresses: ["example.org"]), names: [.dnsName("example.org")]),
        .init(
            testDescription: "a constraint on directory names refuses one",
            constraints: .init(permittedSubtrees: [.directoryName(Forge.name("any"))]),
            names: [.directoryName(Forge.name("any"))], refused: "name:CN=any,O=Signet"),
        .init(
            testDescription: "a constraint on directory names leaves an empty subject alone",
            constraints: .init(permittedSubtrees: [.directoryName(Forge.name("any"))])),
    ]

    @Test(arguments: samples)
    func `hold for the leaf's names`(_ sample: Sample) throws {
        var hierarchy = CertificateHierarchy()
        hierarchy.issuing.nameConstraints = sample.constraints
        hierarchy.leaf.names += sample.names
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): [try hierarchy.root.selfSigned()]])
        if let refused = sample.refused {
            #expect(throws: ChainRefusal.nameConstraint(subject: ChainVerifierCase.issuingName, name: refused)) {
                try verifier.verify(chain: hierarchy.chain(), at: Forge.now)
            }
        } else {
            #expect(try verifier.verify(chain: hierarchy.chain(), at: Forge.now).path.count == 3)
        }
    }

    @Test func `hold from every CA of the path, the root included`() throws {
        var hierarchy = CertificateHierarchy()
        hierarchy.middle = .root("middle")
        hierarchy.root.nameConstraints = Forge.constraints(for: "orders")
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): [try hierarchy.root.selfSigned()]])
        #expect(throws: ChainRefusal.nameConstraint(subject: ChainVerifierCase.rootName, name: ChainVerifierCase.leafName)) {
            try verifier.verify(chain: hierarchy.chain(), at: Forge.now)
        }
    }

    @Test func `hold for the signing certificates below as well`() throws {
        var hierarchy = CertificateHierarchy()
        hierarchy.issuing = .issuing(domain: "orders")
        hierarchy.root.nameConstraints = Forge.constraints(for: "payments")
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): [try hierarchy.root.selfSigned()]])
        #expect(throws: ChainRefusal.nameConstraint(subject: ChainVerifierCase.rootName, name: "spiffe://orders")) {
            try verifier.verify(chain: hierarchy.chain(), at: Forge.now)
        }
    }

    @Test func `a subject with an email address is refused where email is constrained`() throws {
        var hierarchy = CertificateHierarchy()
        hierarchy.issuing.nameConstraints = .init(excludedEmailAddresses: ["example.org"])
        hierarchy.leaf.subject = try DistinguishedName { EmailAddress("a@example.com") }
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): [try hierarchy.root.selfSigned()]])
        #expect(
            throws: ChainRefusal.nameConstraint(
                subject: ChainVerifierCase.issuingName, name: "1.2.840.113549.1.9.1=a@example.com")
        ) { try verifier.verify(chain: hierarchy.chain(), at: Forge.now) }
    }
}
