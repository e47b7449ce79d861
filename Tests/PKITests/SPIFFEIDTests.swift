import PKI
import Testing

@Suite struct SPIFFEIDTests {
    @Test(arguments: [
        "spiffe://payments/api", "spiffe://prod.example.org/ns/default/sa/web", "spiffe://a/A-Z_0.9", "spiffe://a-b.c1/...",
    ])
    func `an ID of the grammar is kept byte for byte`(text: String) throws {
        #expect(try SPIFFEID(text).uri == text)
    }

    @Test(arguments: [
        ("http://payments/api", SPIFFEIDError.wrongScheme),
        ("SPIFFE://payments/api", .wrongScheme),
        ("", .wrongScheme),
        ("spiffe://", .emptyTrustDomain),
        ("spiffe:///api", .emptyTrustDomain),
        ("spiffe://payments", .missingPath),
        ("spiffe://payments/", .missingPath),
        ("spiffe://payments//api", .emptySegment),
        ("spiffe://payments/api/", .emptySegment),
        ("spiffe://payments/./api", .dotSegment),
        ("spiffe://payments/..", .dotSegment),
        ("spiffe://Payments/api", .forbiddenByte(0x50, offset: 0)),
        ("spiffe://user@payments/api", .forbiddenByte(0x40, offset: 4)),
        ("spiffe://payments:8080/api", .forbiddenByte(0x3A, offset: 8)),
        ("spiffe://payments/a?b", .forbiddenByte(0x3F, offset: 2)),
        ("spiffe://payments/a#b", .forbiddenByte(0x23, offset: 2)),
        ("spiffe://payments/a%20b", .forbiddenByte(0x25, offset: 2)),
        ("spiffe://payments/a\u{0}b", .forbiddenByte(0, offset: 2)),
        ("spiffe://pay_ments/a", .forbiddenByte(0x5F, offset: 3)),
        ("spiffe://pay ments/a", .forbiddenByte(0x20, offset: 3)),
        ("spiffe://payments/ä", .forbiddenByte(0xC3, offset: 1)),
    ])
    func `what is not in the grammar is refused, never normalised`(text: String, error: SPIFFEIDError) {
        #expect(throws: error) { try SPIFFEID(text) }
    }

    @Test func `two IDs are the same when trust domain and path are`() throws {
        let one = try SPIFFEID("spiffe://payments/api")
        let other = try SPIFFEID(trustDomain: TrustDomain("payments"), path: "/api")
        #expect(one == other && one.hashValue == other.hashValue && one.uri == other.uri)
        #expect(Set([one, other, try SPIFFEID("spiffe://payments/apis"), try SPIFFEID("spiffe://payment/api")]).count == 3)
    }

    @Test func `2048 bytes are an ID, and 2049 are not`() throws {
        let prefix = "spiffe://a/"
        let longest = prefix + String(repeating: "x", count: 2048 - prefix.utf8.count)
        #expect(try SPIFFEID(longest).uri.utf8.count == 2048)
        #expect(throws: SPIFFEIDError.tooLong(bytes: 2049, limit: 2048)) { try SPIFFEID(longest + "x") }
    }

    @Test(arguments: [
        ("127.0.0.1", SPIFFEIDError.numericLastLabel("1")),
        ("payments.1", .numericLastLabel("1")),
        ("42", .numericLastLabel("42")),
        (".payments", .invalidLabel("")),
        ("payments.", .invalidLabel("")),
        ("a..b", .invalidLabel("")),
        ("-a", .invalidLabel("-a")),
        ("a-", .invalidLabel("a-")),
        ("pay_ments", .forbiddenByte(0x5F, offset: 3)),
    ])
    func `a trust domain that could not stand in a name constraint is refused`(name: String, error: SPIFFEIDError) {
        #expect(throws: error) { try TrustDomain(name) }
    }

    @Test func `labels have 63 bytes at most, and the whole 255`() throws {
        let label = String(repeating: "a", count: 63)
        #expect(try TrustDomain(label).name == label)
        #expect(throws: SPIFFEIDError.invalidLabel(label + "a")) { try TrustDomain(label + "a") }
        let longest = [label, label, label, String(repeating: "b", count: 63)].joined(separator: ".")
        #expect(try TrustDomain(longest).name.utf8.count == 255)
        #expect(throws: SPIFFEIDError.tooLong(bytes: 257, limit: 255)) { try TrustDomain(longest + ".c") }
    }
}

@Suite struct NameTests {
    @Test(arguments: ["default", "a", "pay-ments-2", String(repeating: "m", count: 63)])
    func `a DNS label names a mesh`(name: String) throws {
        #expect(try MeshName(name).name == name)
    }

    @Test(arguments: ["", "all", "Payments", "pay_ments", "-a", "a-", "a.b", String(repeating: "m", count: 64), "ä"])
    func `anything else does not`(name: String) {
        #expect(throws: InvalidName.self) { try MeshName(name) }
    }
}

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (2_524_607_999, "2049-12-31T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
    ])
    func `seconds become the calendar's date`(seconds: Int64, text: String) {
        #expect(Timestamp(seconds: seconds).iso8601 == text)
    }

    @Test func `seconds are rounded towards the past, before the epoch too`() {
        #expect(Timestamp(milliseconds: 1999).seconds == 1)
        #expect(Timestamp(milliseconds: -1).seconds == -1)
        #expect(Timestamp(milliseconds: -1000).seconds == -1)
        #expect(Timestamp(milliseconds: 1999).wholeSeconds == Timestamp(seconds: 1))
    }
}
