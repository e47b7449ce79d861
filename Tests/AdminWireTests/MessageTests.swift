import AdminWire
import Foundation
import Testing

@Suite struct MessageTests {
    @Test func `the last page of a list says null`() throws {
        let text = String(decoding: try WireJSON.encode(Listing(total: 1, items: ["a"], next: nil)), as: UTF8.self)
        #expect(text == #"{"items":["a"],"next":null,"total":1}"#)
        let again = try WireJSON.decode(Listing<String>.self, from: Array(text.utf8))
        #expect(again.items == ["a"] && again.next == nil && again.total == 1)
    }

    @Test func `a problem has Kuma's member beside RFC 9457's`() throws {
        let problem = Problem(
            title: "Could not process a resource", status: 400, detail: "d", instance: "i",
            invalidParameters: [.init(field: "name", reason: "r")])
        let text = String(decoding: try WireJSON.encode(problem), as: UTF8.self)
        #expect(
            text == #"{"detail":"d","instance":"i","invalid_parameters":[{"field":"name","reason":"r"}],"status":400,"#
                + #""title":"Could not process a resource","type":"/std-errors"}"#)
    }

    @Test func `a dataplane token is asked for with lists of values or one alone`() throws {
        let message = try DataplaneTokenMessage(
            node(#"{"mesh":"m","name":"web-1","tags":{"kuma.io/service":["web"],"v":"1"},"validFor":"30d"}"#))
        #expect(
            message
                == DataplaneTokenMessage(
                    mesh: "m", name: "web-1", tags: ["kuma.io/service": ["web"], "v": ["1"]], validFor: "30d"))
    }

    @Test func `a bad request for a token names every fault`() {
        let error = #expect(throws: DocumentError.self) {
            try DataplaneTokenMessage(node(#"{"name":1,"tags":{"a":[2]},"validFor":"soon","type":"ingress"}"#))
        }
        #expect(error?.issues.map(\.field) == ["type", "mesh", "name", "validFor", "tags['a'][0]"])
    }

    @Test func `a revocation names a token or an identity and not both`() throws {
        #expect(try RevocationMessage(node(#"{"token":"x"}"#)) == RevocationMessage(token: "x"))
        #expect(try RevocationMessage(node(#"{"identity":"spiffe://a/b"}"#)) == RevocationMessage(identity: "spiffe://a/b"))
        #expect(throws: DocumentError.self) { try RevocationMessage(node(#"{"token":"x","identity":"y"}"#)) }
        #expect(throws: DocumentError.self) { try RevocationMessage(node("{}")) }
    }

    @Test func `a user token is asked for with the meshes that it is limited to`() throws {
        let message = try UserTokenMessage(node(#"{"name":"ci","roles":["viewer"],"meshes":["a","b"]}"#))
        #expect(message == UserTokenMessage(name: "ci", roles: ["viewer"], meshes: ["a", "b"]))
        #expect(try UserTokenMessage(node(#"{"name":"ci","roles":["viewer"]}"#)).meshes == nil)
        let written = String(decoding: try WireJSON.encode(UserTokenMessage(name: "ci", roles: ["viewer"])), as: UTF8.self)
        #expect(written == #"{"name":"ci","roles":["viewer"]}"#)
    }

    @Test(arguments: [
        (#"{"name":"ci","roles":["viewer"],"meshes":[]}"#, "meshes"),
        (#"{"name":"ci","roles":["viewer"],"meshes":null}"#, "meshes"),
        (#"{"name":"ci","roles":["viewer"],"meshes":"a"}"#, "meshes"),
        (#"{"name":"ci","roles":["viewer"],"meshes":["all"]}"#, "meshes[0]"),
        (#"{"name":"ci","roles":["viewer"],"meshes":["a","a"]}"#, "meshes[1]"),
        (#"{"name":"ci","roles":["viewer"],"mesh":["a"]}"#, "mesh"),
    ]) func `a list of meshes that limits to none is not taken for all`(json: String, field: String) {
        let error = #expect(throws: DocumentError.self) { try UserTokenMessage(node(json)) }
        #expect(error?.issues.map(\.field) == [field])
    }

    @Test func `the answer to a change says no more than there is`() throws {
        #expect(String(decoding: try WireJSON.encode(MeshChangeMessage()), as: UTF8.self) == #"{"warnings":[]}"#)
        let preview = MeshChangeMessage(
            warnings: ["w"], move: .init(mesh: "m", from: "m.ca-1", to: "corp"), created: false,
            trust: .init(begins: [.init(from: "a", to: "m")], ceases: []),
            differences: [
                .init(
                    field: "mtls", before: .null,
                    after: .object([.init("a", .array([.bool(true), .null, .number("1"), .number("0.5"), .string("x")]))]))
            ])
        let text = String(decoding: try WireJSON.encode(preview), as: UTF8.self)
        #expect(
            text == #"{"created":false,"differences":[{"after":{"a":[true,null,1,0.5,"x"]},"before":null,"field":"mtls"}],"#
                + #""move":{"from":"m.ca-1","mesh":"m","to":"corp"},"trust":{"begins":[{"from":"a","to":"m"}],"ceases":[]},"#
                + #""warnings":["w"]}"#)
        #expect(try WireJSON.decode(MeshChangeMessage.self, from: Array(text.utf8)) == preview)
    }

    @Test func `a rotation says what its gate waits for`() throws {
        let rotation = RotationMessage(
            id: "rot-1", kind: "move", meshes: ["m"], certificateAuthority: "corp", previousAuthority: "m.ca-1", from: "i1",
            to: "i2", phase: "issuing", phaseSince: "t1", retireAfter: "expired", startedAt: "t0", endedAt: nil,
            gate: .init(
                open: false, settled: 3, pending: 1,
                blockers: [
                    .init(
                        mesh: "m", identity: "spiffe://m/web", proxy: "web-1", node: "n", resource: "default", reason: "away",
                        detail: "", until: "t2")
                ]))
        let text = String(decoding: try WireJSON.encode(rotation), as: UTF8.self)
        #expect(text.contains(#""gate":{"blockers":[{"detail":"","#) && !text.contains("endedAt"))
        #expect(try WireJSON.decode(RotationMessage.self, from: Array(text.utf8)) == rotation)
    }

    @Test func `a bundle carries the coordinates of an EC key and the whole certificate`() throws {
        let der = try certificate(ecRoot)
        let bundle = try #require(BundleMessage(roots: [der], sequence: 7))
        let key = try #require(bundle.keys.first)
        #expect(key.use == "x509-svid" && key.kty == "EC" && key.crv == "P-256")
        #expect(key.x == "NVm17NEpWnKkd8nzss0UnIHBkeeOxckzVV5EQWJ7jHo")
        #expect(key.y == "MvGSHbnhsGc7anCHSUC0ChlZSa2XDNT_Jrpnnf8GBJE")
        #expect(key.x5c == [Data(der).base64EncodedString()])
        let text = String(decoding: try WireJSON.encode(bundle), as: UTF8.self)
        #expect(text.contains(#""spiffe_refresh_hint":300,"spiffe_sequence":7"#))
    }

    @Test func `a bundle carries the modulus and exponent of an RSA key`() throws {
        let key = try #require(BundleMessage(roots: [try certificate(rsaRoot)], sequence: 1)?.keys.first)
        #expect(key.kty == "RSA" && key.e == "AQAB" && key.crv == nil)
        #expect(key.n == rsaModulus)
    }

    @Test func `a bundle of something that is no certificate is none`() throws {
        #expect(BundleMessage(roots: [[0x30, 0x03, 0x02, 0x01, 0x01]], sequence: 1) == nil)
        #expect(BundleMessage(roots: [[]], sequence: 1) == nil)
        var der = try certificate(ecRoot)
        for length in stride(from: der.count - 1, to: 0, by: -7) {
            der = Array(der.prefix(length))
            #expect(BundleMessage(roots: [der], sequence: 1) == nil)
        }
    }

    private func node(_ json: String) throws -> DocumentNode {
        try #require(try DocumentText.parse(Array(json.utf8), format: .json).first)
    }

    private func certificate(_ base64: String) throws -> [UInt8] {
        Array(try #require(Data(base64Encoded: base64, options: .ignoreUnknownCharacters)))
    }
}

// Self-signed certificates of throw-away keys, made with OpenSSL.
private let ecRoot =
    "MIIBdDCCARugAwIBAgIUFD2pVnTGGhfpDL/jN7KrtmQQ/hUwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjEw"
    + "ODI3NDVaGA8yMTI2MTAyODA4Mjc0NVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDVZtezRKVpy"
    + "pHfJ87LNFJyBwZHnjsXJM1VeREFie4x6MvGSHbnhsGc7anCHSUC0ChlZSa2XDNT/Jrpnnf8GBJGjUzBRMB0GA1UdDgQWBBSmu44g"
    + "NDLwG7k4PKtSkRw51Uy5BjAfBgNVHSMEGDAWgBSmu44gNDLwG7k4PKtSkRw51Uy5BjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49"
    + "BAMCA0cAMEQCIBxa4NPZml3ktZ/h55Jq9UBXP8lzkvEJlB03B47ekVOFAiBbQW6aZBkDkb0BJ6cy/UeMlYrR+/6Wy2vkbkqOuti+"
    + "xQ=="

private let rsaRoot =
    "MIIDATCCAemgAwIBAgIUL108i7u6zFpC9jd5/FPfh/E482cwDQYJKoZIhvcNAQELBQAwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjEx"
    + "MjEwODI3NDVaGA8yMTI2MTAyODA4Mjc0NVowDzENMAsGA1UEAwwEdGVzdDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEB"
    + "ANbARUnZ1TQ1s9uQ1hfAKLD75i4+NhI8nW/Nk5W00h06qnPsXH+d8JWTc8WCyGXJ/UojeT2Eju937HUswCpxql3DJq/y5JoeInDs"
    + "+1Gv2Izx0dPfMIoAWPE/g0Z5w4Lrc3Iq93tdO0nZtrcy0pJkV28m+KeEzyMVr6ToszJ/qNs2D1VpzsaO5poPj3ACicrEHHRl1rJP"
    + "OfvNDhDdM2fiFGX9eE4jd0FEo5F3NECT6kPj4WonlXyO4u3RFYA/w1Ax05lrrG4ogkeInCwH84Kpc/pd/tTgoUjvfCq4KUL5ms4J"
    + "blW1Lt+C2h8ICEMrZF1VhCsiXRKg7H08OesV2eYyGo0CAwEAAaNTMFEwHQYDVR0OBBYEFIIpEOFxvuuoGdB4dGEYUiNgUsvMMB8G"
    + "A1UdIwQYMBaAFIIpEOFxvuuoGdB4dGEYUiNgUsvMMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBAH2ZBrsocG4O"
    + "iU8WQy2yTYLoZHJH0qGq6pqnDjS+0PFVhzzpMhISH1/59A244jhLRy15RdlkBNezcQYAN0rlpm0QmbJgrWeSbX/G6YYvrrCYzTL3"
    + "FInLv1EPjCTeNcU1Gkos+MwvaW6gIIFsuxXNF6NleRtGAYzC41JVvJ12Cp4MwotJFXzLpSpEYhV+TNQzCq9vv8o2c7Zg4yWmDNMq"
    + "R5zhMEMdgivUO49ytTFPoCYs2KAJaDKnIVX4rkdly/a4+fyqySXkh/FDw+86G9r8eWXK3IgSxu+0otlzKVezNxuBNE8q/Hu1/HWZ"
    + "801LN6tI7OiKz9yFk0/jTbMwcZ5eq1k="

/// As `openssl x509 -modulus` prints it, in base64url.
private let rsaModulus =
    "1sBFSdnVNDWz25DWF8AosPvmLj42Ejydb82TlbTSHTqqc-xcf53wlZNzxYLIZcn9SiN5PYSO73fsdSzAKnGqXcMmr_Lkmh4icOz7"
    + "Ua_YjPHR098wigBY8T-DRnnDgutzcir3e107Sdm2tzLSkmRXbyb4p4TPIxWvpOizMn-o2zYPVWnOxo7mmg-PcAKJysQcdGXWsk85"
    + "-80OEN0zZ-IUZf14TiN3QUSjkXc0QJPqQ-PhaieVfI7i7dEVgD_DUDHTmWusbiiCR4icLAfzgqlz-l3-1OChSO98KrgpQvmazglu"
    + "VbUu34LaHwgIQytkXVWEKyJdEqDsfTw56xXZ5jIajQ"
