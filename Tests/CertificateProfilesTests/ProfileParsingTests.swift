import PKI
import Testing

@testable import CertificateProfiles

/// Each case is the issuing profile with one line exchanged, and where the mistake must be found.
@Suite struct ProfileParsingTests {
    private static let lines = [
        "kind: issuing",
        "keys: [EC-P256]",
        "validity:",
        "  backdate: 10s",
        "  lifetime: {leaves: 4, atLeast: 7d}",
        "subject: {organization: Signet, commonName: \"issuing {id}\"}",
        "subjectAlternativeName: {uri: trust-domain, critical: false}",
        "basicConstraints: {ca: true, pathLength: 0}",
        "keyUsage: [keyCertSign, cRLSign]",
        "nameConstraints:",
        "  excludedDNS: [\"\"]",
        "  excludedIP: [\"0.0.0.0/0\", \"::/0\"]",
        "authorityKeyIdentifier: true",
    ]

    struct Mistake: Sendable, CustomTestStringConvertible {
        var replacing: Int
        var with: String
        var line: Int
        var field: String
        var testDescription: String { "line \(replacing): \(with)" }
    }

    @Test func `the profile without a mistake is read`() throws {
        let text = ProfileParsingTests.lines.joined(separator: "\n")
        #expect(try CertificateProfile(yaml: text, file: "issuing.yaml") == ProfileCatalog.embedded().issuing)
    }

    @Test(arguments: [
        Mistake(replacing: 1, with: "kind: intermediate", line: 1, field: "kind"),
        Mistake(replacing: 1, with: "", line: 2, field: "kind"),
        Mistake(replacing: 2, with: "keys: [EC-P521]", line: 2, field: "keys"),
        Mistake(replacing: 2, with: "keys: [EC-P256, EC-P256]", line: 2, field: "keys"),
        Mistake(replacing: 2, with: "keys: EC-P256", line: 2, field: "keys"),
        Mistake(replacing: 2, with: "keys: []", line: 1, field: ""),
        Mistake(replacing: 2, with: "keys: [EC-P256]\ncolour: red", line: 3, field: "colour"),
        Mistake(replacing: 4, with: "  backdate: 10", line: 4, field: "validity.backdate"),
        Mistake(replacing: 4, with: "  backdate: 0s", line: 4, field: "validity.backdate"),
        Mistake(replacing: 4, with: "  backdate: -1s", line: 4, field: "validity.backdate"),
        Mistake(replacing: 4, with: "  backdate: 99999999999999999999y", line: 4, field: "validity.backdate"),
        Mistake(replacing: 4, with: "  backdate: 10s\n  after: 1s", line: 5, field: "validity.after"),
        Mistake(replacing: 5, with: "  lifetime: {leaves: 1, atLeast: 7d}", line: 5, field: "validity.lifetime.leaves"),
        Mistake(replacing: 5, with: "  lifetime: {leaves: 4}", line: 5, field: "validity.lifetime.atLeast"),
        Mistake(replacing: 5, with: "  lifetime: 7d", line: 5, field: "validity.lifetime"),
        Mistake(replacing: 5, with: "  lifetime: {configured: no}", line: 5, field: "validity.lifetime"),
        Mistake(replacing: 6, with: "subject: {organization: Signet, commonName: issuing}", line: 6, field: "subject.commonName"),
        Mistake(replacing: 6, with: "subject: anything", line: 6, field: "subject"),
        Mistake(replacing: 6, with: "subject: empty", line: 1, field: ""),
        Mistake(
            replacing: 7, with: "subjectAlternativeName: {uri: trust-domain, critical: yes}", line: 7,
            field: "subjectAlternativeName.critical"),
        Mistake(
            replacing: 7, with: "subjectAlternativeName: {uri: dns, critical: false}", line: 7,
            field: "subjectAlternativeName.uri"),
        Mistake(
            replacing: 8, with: "basicConstraints: {ca: true, pathLength: -1}", line: 8, field: "basicConstraints.pathLength"),
        Mistake(
            replacing: 8, with: "basicConstraints: {ca: false, pathLength: 0}", line: 8, field: "basicConstraints.pathLength"),
        Mistake(replacing: 8, with: "basicConstraints: {ca: false}", line: 1, field: ""),
        Mistake(replacing: 9, with: "keyUsage: [keyCertSign, decipherOnly]", line: 9, field: "keyUsage"),
        Mistake(replacing: 9, with: "keyUsage: [digitalSignature, keyCertSign]", line: 1, field: ""),
        Mistake(replacing: 12, with: "  excludedIP: [\"10.0.0.0/8\"]", line: 12, field: "nameConstraints.excludedIP"),
        Mistake(replacing: 12, with: "  permittedDNS: [a]", line: 12, field: "nameConstraints.permittedDNS"),
        Mistake(replacing: 13, with: "authorityKeyIdentifier: false", line: 1, field: ""),
    ])
    func `a mistake is found, with its file, line and field`(mistake: Mistake) throws {
        var lines = ProfileParsingTests.lines
        lines[mistake.replacing - 1] = mistake.with
        let error = try #require(throws: ProfileError.self) {
            try CertificateProfile(yaml: lines.joined(separator: "\n"), file: "issuing.yaml")
        }
        #expect(error.file == "issuing.yaml")
        #expect(error.line == mistake.line, "\(error)")
        #expect(error.field == mistake.field, "\(error)")
        #expect(error.description.hasPrefix("issuing.yaml:\(mistake.line): "))
    }

    @Test(arguments: ["", "- a list", "just words", "a: [", "kind: leaf\nkind: leaf"])
    func `what is no mapping of YAML is refused`(text: String) {
        #expect(throws: ProfileError.self) { try CertificateProfile(yaml: text, file: "x.yaml") }
    }
}
