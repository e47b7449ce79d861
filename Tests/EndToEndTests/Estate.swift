import Foundation
import TestSupport
import Testing

/// Two meshes under one CA, `corp`, with `web` and `api` each, which call each other within their mesh and across.
struct Estate: Sendable {
    let proxies: [Proxy]
    let targets: [Traffic.Target]

    /// Four targets, each so often: 100 requests a second.
    static let pace: Duration = .milliseconds(40)

    /// How many connections the proxies opened over mTLS.
    func handshakes() async throws -> Int {
        var count = 0
        for proxy in proxies { count += try await proxy.handshakes().outbound }
        return count
    }
}

extension World {
    /// Makes the CA `corp`; `expiration` is its roots' life.
    func applyCorp(expiration: String = "10y", keyType: String = "EC-P256", retireAfter: String = "reissued") async throws {
        let document = """
            type: CertificateAuthority
            name: corp
            keyType: \(keyType)
            expiration: \(expiration)
            rotation: {automatic: true, retireAfter: \(retireAfter)}
            """
        try await signet.command("apply", "-f", "-", input: document)
    }

    /// Makes a mesh under `corp` from the start.
    func makeMesh(_ name: String, under authority: String, leafLife: String) async throws {
        let document = """
            type: Mesh
            name: \(name)
            mtls:
              enabledBackend: \(authority)
              backends:
              - name: \(authority)
                type: shared
                dpCert: {rotation: {expiration: \(leafLife)}}
                conf: {authority: \(authority)}
            """
        try await signet.command("apply", "-f", "-", input: document)
    }

    /// Starts four Envoys in the meshes `red` and `blue`, both under `corp`, with leaves of 20 seconds.
    func startEstate() async throws -> Estate {
        for mesh in ["red", "blue"] { try await makeMesh(mesh, under: "corp", leafLife: "20s") }
        var (redWeb, redAPI) = (try Proxy.Plan(mesh: "red", service: "web"), try Proxy.Plan(mesh: "red", service: "api"))
        var (blueWeb, blueAPI) = (try Proxy.Plan(mesh: "blue", service: "web"), try Proxy.Plan(mesh: "blue", service: "api"))
        try redWeb.call(redAPI)
        try redAPI.call(blueAPI)
        try blueWeb.call(blueAPI)
        try blueAPI.call(redWeb)
        let proxies = [
            try await start(redWeb), try await start(redAPI), try await start(blueWeb), try await start(blueAPI),
        ]
        return Estate(
            proxies: proxies,
            targets: [
                proxies[0].target(answer: redAPI.name), proxies[1].target(answer: blueAPI.name),
                proxies[2].target(answer: blueAPI.name), proxies[3].target(answer: redWeb.name),
            ])
    }

    /// The root that signs for a mesh.
    func activeRoot(of authority: String, for mesh: String = "red") async throws -> IssuerReport {
        try #require(try await issuers(of: authority).first { $0.isActive(for: mesh) })
    }

    /// `root` alone is in the bundles, in what the Envoys hold and in what they show as theirs, and their chains lead to it.
    func expectOnly(_ root: IssuerReport, in proxies: [Proxy], insteadOf old: [IssuerReport]) async throws {
        let file = try workspace.write(root.certificate, to: "root.pem")
        let oldSerials = try await WireCertificate.all(in: old.map(\.certificate).joined()).map(\.serial)
        #expect(oldSerials.count == old.count)
        for mesh in Set(proxies.map(\.plan.mesh)) { #expect(try await roots(of: mesh) == [root.certificate], "\(mesh)") }
        for proxy in proxies {
            #expect(try await roots(heldBy: proxy.envoy) == [root.certificate], "\(proxy.plan.name)")
            let shown = try await HTTP.fetch("http://\(proxy.envoy.adminAddress)/certs").body
            #expect(!oldSerials.contains { shown.contains($0) }, "\(proxy.plan.name): \(shown)")
            let verdict = try await verdict(of: file, on: proxy)
            #expect(verdict.status == 0, "\(verdict)")
        }
    }

    /// What openssl says of the chain that a proxy shows, if `root` is all that it knows.
    func verdict(of root: String, on proxy: Proxy) async throws -> Tool.Result {
        let shown = try await Tool.openssl.run([
            "s_client", "-connect", "127.0.0.1:\(proxy.plan.inbound)", "-showcerts", "-tls1_3",
        ])
        let chain = try workspace.write(certificates(in: shown.output).joined(), to: "\(proxy.plan.name).chain.pem")
        return try await Tool.openssl.run(["verify", "-x509_strict", "-CAfile", root, "-untrusted", chain, chain])
    }
}
