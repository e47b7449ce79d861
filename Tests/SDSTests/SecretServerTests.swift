import Authority
import AuthorityService
import EnvoyAPI
import GRPCCore
import PKI
import PKICrypto
import SDS
import SwiftProtobuf
import TestSupport
import Testing

/// The shell: streams over real HTTP/2, with everything behind them but the database.
@Suite struct SecretServerTests {
    private typealias Secret = Envoy_Extensions_TransportSockets_Tls_V3_Secret

    /// The call succeeded, and should not have.
    private struct NoError: Error {}

    /// The status that `body` ends with.
    private func status(_ body: () async throws -> Void) async throws -> RPCError {
        do {
            try await body()
        } catch let error as RPCError {
            return error
        }
        throw NoError()
    }

    @Test func `Identity and bundle are delivered, and the acknowledgement is shown`() async throws {
        try await SecretServer.run { server in
            let token = try await server.token()
            try await server.stream(token: token) { talk in
                talk.say(SecretServer.request(["default", "ROOTCA"]))
                var responses = talk.responses.makeAsyncIterator()
                let response = try #require(try await responses.next())
                let secrets = try response.resources.map { try Secret(unpackingAny: $0) }
                #expect(secrets.map(\.name) == ["ROOTCA", "default"])
                let identity = try #require(secrets.last)
                let chain = String(decoding: identity.tlsCertificate.certificateChain.inlineBytes, as: UTF8.self)
                #expect(chain.components(separatedBy: "BEGIN CERTIFICATE").count == 3)
                talk.say(
                    SecretServer.request(["default", "ROOTCA"], version: response.versionInfo, nonce: response.nonce, node: ""))
                let mesh = try MeshName("default")
                try await eventually(within: .seconds(10), "the acknowledgement in the registry", every: .milliseconds(5)) {
                    let proxy = server.authority.proxies.connected(mesh: mesh).first
                    return proxy?.proxy == "proxy-1" && proxy?.node == "node-1"
                        && proxy?.subscriptions.allSatisfy { $0.ackedVersion != nil && $0.ackedVersion == $0.sentVersion } == true
                        && proxy?.certificateExpiresAt != nil
                }
            }
            let mesh = try MeshName("default")
            try await eventually(within: .seconds(10), "the proxy to be shown as gone", every: .milliseconds(5)) {
                server.authority.proxies.connected(mesh: mesh).isEmpty
            }
        }
    }

    @Test func `The ledger knows the node that a leaf went to, and that a fetched one is nobody's`() async throws {
        try await SecretServer.run { server in
            let token = try await server.token()
            let mesh = try MeshName("default")
            for node in ["node-1", "node-2", ""] {
                try await server.stream(token: token) { talk in
                    talk.say(SecretServer.request(["default"], node: node))
                    var responses = talk.responses.makeAsyncIterator()
                    _ = try #require(try await responses.next())
                }
            }
            _ = try await server.client.fetchSecrets(
                SecretServer.request(["default"]), metadata: ["authorization": .string(token)])
            let leaves = try await server.authority.certificates(CertificateQuery(mesh: mesh, kind: .leaf)).items
            // Newest first. Without a node id it is the proxy's name.
            #expect(leaves.map { $0.origin?.node } == [nil, "proxy-1", "node-2", "node-1"])
            #expect(server.authority.proxies.list(mesh: mesh).map(\.node) == ["node-1", "node-2", "proxy-1"])
        }
    }

    @Test func `A reconnect that names its versions costs no certificate`() async throws {
        try await SecretServer.run { server in
            let token = try await server.token()
            let version = try await server.stream(token: token) { talk in
                talk.say(SecretServer.request(["default", "ROOTCA"]))
                var responses = talk.responses.makeAsyncIterator()
                return try #require(try await responses.next()).versionInfo
            }
            let issued = server.ledger.count(of: .record)
            try await server.stream(token: token) { talk in
                talk.say(SecretServer.request(["default", "ROOTCA"], version: version))
                talk.halfClose()
                var responses = talk.responses.makeAsyncIterator()
                let answer = try await responses.next()
                #expect(answer == nil)
            }
            #expect(server.ledger.count(of: .record) == issued)
        }
    }

    @Test func `A revoked token ends its stream at once`() async throws {
        try await SecretServer.run { server in
            let token = try await server.token()
            let error = try await status {
                try await server.stream(token: token) { talk in
                    talk.say(SecretServer.request(["ROOTCA"]))
                    var responses = talk.responses.makeAsyncIterator()
                    _ = try await responses.next()
                    let issued = try await server.authority.tokens(TokenQuery(mesh: try MeshName("default")))
                    try await server.authority.revokeToken(try #require(issued.items.first?.id), by: SecretServer.administrator)
                    while try await responses.next() != nil {}
                }
            }
            #expect(error.code == .unauthenticated)
            #expect(error.message.hasPrefix("token-revoked: "))
        }
    }

    @Test func `Without a credential, with a bad one, or with two, nobody gets in`() async throws {
        try await SecretServer.run { server in
            let token = try await server.token()
            let cases: [(Metadata, String)] = [
                ([:], "credential-missing"), (["authorization": "Bearer nonsense"], "token-invalid"),
                (["authorization": .string(token), "authorization": .string(token)], "token-invalid"),
            ]
            for (metadata, reason) in cases {
                let error = try await status {
                    _ = try await server.client.fetchSecrets(SecretServer.request(["ROOTCA"]), metadata: metadata)
                }
                #expect(error.code == .unauthenticated)
                #expect(error.message.hasPrefix("\(reason): "), "\(error.message)")
            }
            let streamed = try await status {
                try await server.stream(token: nil) { talk in
                    talk.say(SecretServer.request(["ROOTCA"]))
                    for try await _ in talk.responses {}
                }
            }
            #expect(streamed.code == .unauthenticated)
        }
    }

    @Test func `The token may come bare`() async throws {
        try await SecretServer.run { server in
            let token = try await server.token()
            let response = try await server.client.fetchSecrets(
                SecretServer.request(["ROOTCA"]), metadata: ["authorization": .string(token)])
            #expect(response.resources.count == 1)
        }
    }

    @Test func `Fetching answers at once, aliases with one leaf, and leaves out what has no secret`() async throws {
        try await SecretServer.run { server in
            let metadata: Metadata = ["authorization": "Bearer \(try await server.token())"]
            let issued = server.ledger.count(of: .record)
            let response = try await server.client.fetchSecrets(
                SecretServer.request(["default", "spiffe://default/api", "ALL", "nonsense", "mesh_ca:secret:orders"]),
                metadata: metadata)
            let secrets = try response.resources.map { try Secret(unpackingAny: $0) }
            #expect(secrets.map(\.name) == ["ALL", "default", "spiffe://default/api"])
            #expect(secrets[1].tlsCertificate == secrets[2].tlsCertificate)
            #expect(
                Set(StreamVersions(parsing: response.versionInfo).versions.keys) == ["ALL", "default", "spiffe://default/api"])
            #expect(server.ledger.count(of: .record) == issued + 1)
            let nothing = try await server.client.fetchSecrets(SecretServer.request(["nonsense"]), metadata: metadata)
            #expect(nothing.resources.isEmpty)
        }
    }

    @Test func `A proxy that half-closes still gets what it asked for`() async throws {
        try await SecretServer.run { server in
            let token = try await server.token()
            let count = try await server.stream(token: token) { talk in
                talk.say(SecretServer.request(["default", "ROOTCA"]))
                talk.halfClose()
                var count = 0
                for try await response in talk.responses { count += response.resources.count }
                return count
            }
            #expect(count == 2)
        }
    }

    @Test func `A stream whose first request does not come is closed`() async throws {
        var limits = StreamLimits()
        limits.firstMessageTimeout = .milliseconds(100)
        try await SecretServer.run(limits: limits) { server in
            let token = try await server.token()
            let error = try await status {
                try await server.stream(token: token) { talk in for try await _ in talk.responses {} }
            }
            #expect(error.code == .deadlineExceeded)
        }
    }

    @Test func `A node id beyond the limit is refused`() async throws {
        try await SecretServer.run { server in
            let token = try await server.token()
            let error = try await status {
                try await server.stream(token: token) { talk in
                    talk.say(SecretServer.request(["ROOTCA"], node: String(repeating: "n", count: 256)))
                    for try await _ in talk.responses {}
                }
            }
            #expect(error.code == .invalidArgument)
        }
    }

    @Test func `While the ledger is away the bundle is served, the stream stays, and the leaf follows`() async throws {
        var limits = StreamLimits()
        limits.retryFloor = .milliseconds(20)
        try await SecretServer.run(limits: limits) { server in
            let token = try await server.token()
            server.ledger.setLasting(.unavailable, for: [.record])
            try await server.stream(token: token) { talk in
                talk.say(SecretServer.request(["default", "ROOTCA"]))
                var responses = talk.responses.makeAsyncIterator()
                let bundle = try #require(try await responses.next())
                #expect(try bundle.resources.map { try Secret(unpackingAny: $0).name } == ["ROOTCA"])
                talk.say(SecretServer.request(["default", "ROOTCA"], version: bundle.versionInfo, nonce: bundle.nonce))
                let failures = server.ledger.count(of: .record)
                try await eventually(within: .seconds(10), "another attempt", every: .milliseconds(5)) {
                    server.ledger.count(of: .record) > failures
                }
                server.ledger.setLasting(nil, for: [.record])
                let identity = try #require(try await responses.next())
                #expect(try identity.resources.map { try Secret(unpackingAny: $0).name } == ["default"])
            }
        }
    }

    @Test func `An identity certificate opens the mTLS door, and one of another authority does not`() async throws {
        let chain = Handed()
        let door = Door(requiresCertificate: true, peerChain: { _ in chain.value })
        try await SecretServer.run(door: door) { server in
            let without = try await status { _ = try await server.client.fetchSecrets(SecretServer.request(["ROOTCA"])) }
            #expect(without.code == .unauthenticated)
            #expect(without.message.hasPrefix("no-certificate: "))

            chain.value = try await SecretServer.chain(by: server.authority)
            let response = try await server.client.fetchSecrets(SecretServer.request(["default", "ROOTCA"]))
            #expect(response.resources.count == 2)

            chain.value = try await SecretServer.chain(by: SecretServer.startedAuthority())
            let foreign = try await status { _ = try await server.client.fetchSecrets(SecretServer.request(["ROOTCA"])) }
            #expect(foreign.code == .unauthenticated)
        }
    }

    @Test func `Stopping the server ends every stream, so that proxies reconnect`() async throws {
        try await SecretServer.run { server in
            let token = try await server.token()
            let error = try await status {
                try await server.stream(token: token) { talk in
                    talk.say(SecretServer.request(["ROOTCA"]))
                    var responses = talk.responses.makeAsyncIterator()
                    _ = try await responses.next()
                    await server.services.triggerGracefulShutdown()
                    while try await responses.next() != nil {}
                }
            }
            #expect(error.code == .unavailable)
        }
    }
}
