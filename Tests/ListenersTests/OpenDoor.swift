import Foundation
import Hummingbird
import Listeners
import Logging
import PKI
import ServiceLifecycle
import TestSupport

/// The time now.
func now() -> Timestamp { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }

/// A router that answers every path with the path.
func echo() -> some HTTPResponder<BasicRequestContext> {
    let router = Router()
    router.get("**") { request, _ in request.uri.path }
    return router.buildResponder()
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs a service while `body` runs, then stops it gracefully and waits for its end.
@discardableResult func whileServing<Value: Sendable>(
    _ services: any Service..., body: @escaping @Sendable (ServiceGroup) async throws -> Value
) async throws -> Value {
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: quiet))
    let serving = Task { try await group.run() }
    let result: Result<Value, any Error>
    do {
        result = .success(try await within(.seconds(60), "the body of the test") { try await body(group) })
    } catch {
        result = .failure(error)
    }
    await group.triggerGracefulShutdown()
    try await within(.seconds(60), "the graceful end of the service") { try await serving.value }
    return try result.get()
}

/// An HTTP door with TLS on a free port, whose certificate an authority in the workspace signed.
struct OpenDoor: Sendable {
    let socket: BoundSocket
    let authorityFile: String
    let certificates: ServingCertificates

    var port: Int { socket.address.port }

    init(in workspace: Workspace) throws {
        socket = try BoundSocket.tcp(ListenAddress(host: "127.0.0.1", port: 0), key: "listen.test")
        let authority = try ServingAuthority.open(directory: workspace.path, at: now())
        certificates = ServingCertificates(try authority.issue(names: ["localhost", "127.0.0.1"], at: now()))
        authorityFile = workspace.file("ca.pem")
    }

    func door(
        _ client: TLSDoor.ClientCertificate = .notAsked, minimum: TLSDoor.MinimumVersion = .tls13,
        limits: DoorLimits = DoorLimits()
    ) throws -> any Service {
        let tls = TLSDoor(
            certificates: certificates, clientCertificate: client, minimumVersion: minimum, applicationProtocol: .http)
        return try HTTPDoor("test", socket: socket, tls: tls, responder: echo(), limits: limits, logger: quiet)
    }

    /// One request through `openssl s_client`, an independent TLS: what it printed.
    func request(_ options: String...) async throws -> Tool.Result {
        try await Tool.openssl.run(
            ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", authorityFile, "-verify_return_error", "-ign_eof"] + options,
            input: "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }
}

extension Tool.Result {
    /// Whether the request went through and was answered.
    var isAnswered: Bool { output.contains("HTTP/1.1 200 OK") && output.contains("/hello") }
}

/// A self-signed client certificate and its key, in files.
struct ClientCertificate: Sendable {
    let certificate: String
    let key: String

    static func make(_ name: String, in workspace: Workspace) async throws -> ClientCertificate {
        let files = ClientCertificate(certificate: workspace.file("\(name).crt"), key: workspace.file("\(name).key"))
        try await Tool.openssl.output([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
            "/CN=\(name)",
            "-keyout", files.key, "-out", files.certificate,
        ])
        return files
    }

    /// The certificate as DER.
    func der() async throws -> [UInt8] {
        let text = try await Tool.openssl.output(["x509", "-in", certificate, "-outform", "PEM"])
        let base64 = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
        return [UInt8](Data(base64Encoded: base64) ?? Data())
    }
}
