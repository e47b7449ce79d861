import AdminWire
import ArgumentParser
import Foundation
import Listeners
import PKI

/// `signet envoy bootstrap`: a bootstrap that runs as it is, on standard output.
struct EnvoyBootstrapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootstrap",
        abstract: "Print a complete Envoy bootstrap for one service.",
        discussion: """
            Example: signet envoy bootstrap --mesh default --service web --token-file web.token \
            --inbound 127.0.0.1:10080=127.0.0.1:8080 --outbound 127.0.0.1:9001=127.0.0.1:10081=spiffe://default/api > web.yaml

            Addresses are ip:port, those of IPv6 in brackets. Beside the token file a small file is written, through which Envoy \
            watches it: replace the token file by rename, and new streams carry the new token.
            """)

    @Option(help: ArgumentHelp("The proxy's mesh.", valueName: "name"))
    var mesh: String

    @Option(help: ArgumentHelp("The service that the proxy stands before.", valueName: "name"))
    var service: String

    @Option(help: ArgumentHelp("The file with the proxy's dataplane token.", valueName: "file"))
    var tokenFile: String

    @Option(
        help: ArgumentHelp(
            """
            A port for other proxies, and the application behind it. May be given several times.
            """, valueName: "listen=app"))
    var inbound: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            A local port that leads to a peer with exactly this identity. May be given several times.
            """, valueName: "listen=peer=spiffe-id"))
    var outbound: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Where the proxies find SDS (default: that of 'signet dev', else port 5678 of the admin API's host).
            """, valueName: "host:port"))
    var sdsAddress: String?

    @Option(
        help: ArgumentHelp(
            """
            Envoy's node id; it names the proxy where the token has no name (default: the service).
            """, valueName: "id"))
    var nodeID: String?

    @Option(help: ArgumentHelp("Envoy's own admin interface; port 0 takes any free one.", valueName: "ip:port"))
    var adminAddress: String = "127.0.0.1:0"

    @Option(help: ArgumentHelp("The admin API, such as https://signet.example:5682.", valueName: "url"))
    var address: String?

    @Option(help: ArgumentHelp("A file with the admin token (the proxy's own is --token-file).", valueName: "file"))
    var adminTokenFile: String?

    @Option(help: ArgumentHelp("The PEM certificate of the CA that signs the serving certificates.", valueName: "file"))
    var caFile: String?

    func validate() throws { try checkMesh(mesh) }

    func run() async throws {
        var plan = try checkedPlan()
        try plan.checkListeners()
        try checkToken()
        var server = ServerOptions()
        server.address = address
        server.tokenFile = adminTokenFile
        server.caFile = caFile
        let location = try ServerLocation.find(server)
        guard let authority = location.authorityPEM else {
            throw CommandFailure.usage(
                "the CA of the serving certificate is not known: name its PEM file with --ca-file or SIGNET_CA_FILE")
        }
        plan.authorityPEM = String(decoding: authority, as: UTF8.self)
        if sdsAddress == nil {
            plan.sds =
                location.endpoints.flatMap { ListenAddress($0.sds) }
                ?? ListenAddress(host: location.base.host()?.trimmingCharacters(in: ["[", "]"]) ?? "localhost", port: 5678)
        }
        plan.isPermissive = try await isPermissive(server)
        do {
            try TokenSecretFile.write(for: DataDirectory.absolute(tokenFile))
        } catch {
            throw CommandFailure.failed(error.description)
        }
        try Console.out(EnvoyBootstrap(plan: plan).yaml)
    }

    /// Everything that the command line says; the rest is filled in when the server is known.
    private func checkedPlan() throws(CommandFailure) -> BootstrapPlan {
        let path = DataDirectory.absolute(tokenFile)
        guard access(path, R_OK) == 0 else {
            throw .usage(
                "cannot read the token file \(tokenFile) (\(String(cString: strerror(errno)))): make it with 'signet token dataplane'"
            )
        }
        guard !service.isEmpty, service.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .usage("--service '\(service)' is not a name: use printable characters without spaces")
        }
        guard let admin = SocketTarget(adminAddress, allowsPortZero: true) else {
            throw .usage("--admin-address '\(adminAddress)' is not ip:port: write it as 127.0.0.1:0 or [::1]:9901")
        }
        var sds = ListenAddress(host: "localhost", port: 5678)
        if let sdsAddress {
            guard let named = ListenAddress(sdsAddress), named.port != 0 else {
                throw .usage("--sds-address '\(sdsAddress)' is not host:port: write it as signet.example:5678")
            }
            sds = named
        }
        do {
            return BootstrapPlan(
                mesh: try named("--mesh '\(mesh)'", { () throws(InvalidName) in try MeshName(mesh) }), service: service,
                nodeID: nodeID ?? service, sds: sds, authorityPEM: "", tokenSecretFile: TokenSecretFile.path(for: path),
                admin: admin, isPermissive: false,
                inbound: try inbound.map { text throws(CommandFailure) in
                    try named("--inbound '\(text)'", { () throws(InvalidName) in try BootstrapPlan.Inbound(text) })
                },
                outbound: try outbound.map { text throws(CommandFailure) in
                    try named("--outbound '\(text)'", { () throws(InvalidName) in try BootstrapPlan.Outbound(text) })
                })
        }
    }

    /// The token must be one for this mesh and service, as far as it tells; the server judges it, and later.
    private func checkToken() throws(CommandFailure) {
        guard let bytes = try? DurableFile.read(DataDirectory.absolute(tokenFile)),
            let claims = TokenClaims(token: String(decoding: bytes, as: UTF8.self))
        else { return }
        guard claims.mesh == mesh else {
            throw .usage(
                "the token in \(tokenFile) is for mesh '\(claims.mesh)', not '\(mesh)': name another --token-file or --mesh")
        }
        let services = claims.tags?["kuma.io/service"] ?? []
        guard services.isEmpty || services.contains(service) else {
            throw .usage(
                "the token in \(tokenFile) is for service '\(services.joined(separator: "', '"))', not '\(service)': "
                    + "name another --token-file or --service")
        }
    }

    private func named<Value>(_ what: String, _ make: () throws(InvalidName) -> Value) throws(CommandFailure) -> Value {
        do {
            return try make()
        } catch {
            throw .usage("\(what) \(error): see 'signet envoy bootstrap --help'")
        }
    }

    /// The mode of the mesh's backend. A mesh that does not exist is an error; a server that does not answer is not, and
    /// leaves the strict mode.
    private func isPermissive(_ server: ServerOptions) async throws -> Bool {
        do {
            return try await AdminClient.with(server) { client in
                guard let answer = try await client.find("/meshes/" + PathText.segment(mesh)) else {
                    throw UnknownMesh()
                }
                let document = try client.json(answer)
                let enabled = document["mtls"]?["enabledBackend"]?.text
                let backend = document["mtls"]?["backends"]?.elements?.first { $0["name"]?.text == enabled }
                if enabled == nil { Console.note("mTLS is off for mesh '\(mesh)': Envoy will wait for its certificates") }
                return backend?["mode"]?.text == "PERMISSIVE"
            }
        } catch is UnknownMesh {
            throw CommandFailure.failed("there is no mesh '\(mesh)': create it with 'signet apply', or name another with --mesh")
        } catch let failure as CommandFailure {
            Console.note("the mesh was not looked up, and STRICT is assumed (\(failure.line))")
            return false
        }
    }
}

/// The mesh that was asked for does not exist.
private struct UnknownMesh: Error {}
