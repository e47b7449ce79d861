import AdminWire
import Foundation
import Testing

@testable import signet

@Suite struct GetTests {
    private func certificate(_ serial: String, _ issuedAt: String) -> JSONValue {
        .object([.init("serial", .string(serial)), .init("issuedAt", .string(issuedAt))])
    }

    @Test func `Certificates of several meshes are one list, newest first`() {
        let one = [certificate("a", "2026-01-03T00:00:00Z"), certificate("b", "2026-01-01T00:00:00Z")]
        let other = [certificate("c", "2026-01-04T00:00:00Z"), certificate("d", "2026-01-01T00:00:00Z")]
        #expect(GetCertificates.newestFirst([one, other]).compactMap { $0["serial"]?.text } == ["c", "a", "b", "d"])
    }

    @Test(arguments: [(2, nil), (3, "these are the newest 2 of 3: see more with --limit 3")])
    func `A list that the limit cut says so`(total: Int, note: String?) {
        let items = JSONValue.array([certificate("a", ""), certificate("b", "")])
        #expect(GetCertificates.note(.object([.init("total", .number("\(total)")), .init("items", items)])) == note)
    }

    @Test(arguments: [
        (3, "r1 not acknowledged; r2 not acknowledged; r3 not acknowledged"),
        (5, "r1 not acknowledged; r2 not acknowledged; r3 not acknowledged; … and 2 more"),
    ])
    func `Many troubles of a proxy are counted after the third`(count: Int, text: String) throws {
        let subscriptions = (1...count).map { #"{"resource":"r\#($0)","silent":true}"# }.joined(separator: ",")
        let proxy = try WireJSON.decode(
            ProxyMessage.self,
            from: Array(
                (#"{"name":"p","mesh":"m","identity":"spiffe://m/p","node":"n","replica":"r","connected":true,"#
                    + #""connectedAt":"2026-01-01T00:00:00Z","subscriptions":[\#(subscriptions)]}"#).utf8))
        #expect(GetProxies.trouble(proxy) == text)
    }

    @Test(arguments: [
        (#"{"uses":[]}"#, ""), (#"{"uses":[],"revokedAt":"2026-01-01T00:00:00Z"}"#, "revoked"),
        (#"{"uses":[{"mesh":"a","state":"active"},{"mesh":"b","state":"prepared"}]}"#, "a: active, b: prepared"),
        (#"{"uses":[{"mesh":"a","state":"retired"}],"revokedAt":"2026-01-01T00:00:00Z"}"#, "revoked, a: retired"),
    ])
    func `A revoked issuer is shown as that, whether a mesh uses it or not`(issuer: String, state: String) throws {
        #expect(GetAuthority.state(try JSONValue(parsing: issuer)) == state)
    }

    @Test(arguments: [
        (
            #""name":"bank","origin":"provided""#,
            "bank: a root that was brought; replaced by you, with 'signet ca rotate bank --cert FILE --key FILE', old roots kept"
        ),
        (
            #""name":"m.own","origin":"provided","owner":"m""#,
            "m.own: a root that was brought; replaced by you, in the document of mesh 'm', old roots kept"
        ),
        (
            #""name":"corp","origin":"generated","keyType":"EC-P256","expiration":"10y""#,
            "corp: EC-P256, 10y; rotated automatically, old roots kept"
        ),
    ])
    func `Who replaces the root of a certificate authority is said`(members: String, line: String) throws {
        let rotation = #""rotation":{"automatic":true,"retireAfter":"expired"}"#
        let authority = try JSONValue(parsing: "{\(members),\(rotation)}")
        #expect(GetAuthority.headline(authority) == line + " until expired")
    }

    @Test func `A refusal for the sake of the service is not blamed on the roots`() throws {
        let asked = try VerifyCommand.parse(["--mesh", "m", "--service", "nope", "chain.pem"])
        #expect(asked.advice("subject-alt-name").contains("'nope'") && asked.advice("secret-empty").contains("'nope'"))
        #expect(try VerifyCommand.parse(["--mesh", "m", "chain.pem"]).advice("expired").contains("roots"))
    }
}
