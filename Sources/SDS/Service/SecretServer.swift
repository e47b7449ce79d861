internal import Authority
internal import AuthorityService
internal import Foundation
internal import GRPCHTTP2
internal import Logging
internal import NIOHPACK
internal import PKI

/// What every stream and call of one door shares.
final class SecretServer: Sendable {
    let authority: MeshAuthority
    let door: Door
    let limits: StreamLimits
    let logger: Logger
    let leaves: LeafDesk
    let tasks: TaskDesk
    let sessions: LoopLocal<LoopSessions>
    let encoder: ResponseEncoder

    init(
        authority: MeshAuthority, door: Door, limits: StreamLimits, logger: Logger, leaves: LeafDesk, tasks: TaskDesk,
        sessions: LoopLocal<LoopSessions>, encoder: ResponseEncoder
    ) {
        self.authority = authority
        self.door = door
        self.limits = limits
        self.logger = logger
        self.leaves = leaves
        self.tasks = tasks
        self.sessions = sessions
        self.encoder = encoder
    }

    /// Why a node id cannot be one; nil: it can.
    func refusal(ofNodeID nodeID: String) -> GRPCStatus? {
        guard nodeID.utf8.count > limits.mostNodeIDBytes else { return nil }
        SDSMetrics.limited("node-id-bytes")
        return GRPCStatus(
            code: .invalidArgument,
            message: "node.id has \(nodeID.utf8.count) octets, and at most \(limits.mostNodeIDBytes) are accepted")
    }

    /// What a caller came with. On the connection's event loop.
    func credentials(over connection: GRPCConnection, token: String?, nodeID: String) -> ProxyCredentials {
        ProxyCredentials(
            token: token, peerChain: door.peerChain(connection), requiresCertificate: door.requiresCertificate,
            nodeID: nodeID, source: connection.remotePeer, requestID: UUID().uuidString.lowercased())
    }

    /// Who is calling, or what the caller is told.
    func authenticate(_ credentials: ProxyCredentials) async -> Result<Caller, GRPCStatus> {
        do throws(AuthorityError) {
            return .success(try await authority.authenticate(credentials))
        } catch {
            return .failure(GRPCStatus(error))
        }
    }

    /// The token in `authorization`, with or without `Bearer `; nil when there is no such header.
    ///
    /// Several headers are joined as RFC 9110 §5.3 joins them: that is no token, and is refused, counted and audited as one
    /// that is not valid.
    static func token(in headers: HPACKHeaders) -> String? {
        let values = headers["authorization"]
        guard !values.isEmpty else { return nil }
        let value = values.joined(separator: ", ")
        let scheme = "Bearer "
        guard value.prefix(scheme.count).lowercased() == scheme.lowercased() else { return value }
        return String(value.dropFirst(scheme.count))
    }

    /// The world now, as a stream of `caller` sees it.
    func outlook(for caller: Caller) -> Outlook {
        let view = authority.view()
        var refusal: Refusal?
        do {
            try view.standing(of: caller)
        } catch {
            refusal = error
        }
        return Outlook(
            now: view.now, revision: view.edition(of: caller.mesh), refusal: refusal,
            trust: { name in
                do throws(Refusal) {
                    return .success(try view.trust(name, for: caller))
                } catch {
                    return .failure(error)
                }
            },
            held: { view.heldLeaf(version: $0, by: caller) },
            replacement: { view.replacement(of: $0, for: caller) })
    }

    /// Who asks for a secret of another mesh or proxy stands in the audit trail; who asks for a name of no form does not.
    func audit(_ note: StreamNote, of caller: Caller, source: String) {
        guard case .nameRefused(_, .secretForbidden(let name)) = note else { return }
        authority.note(.secretForbidden(name: name), caller: caller, source: source)
    }

    /// A logger that names the proxy; what it said of itself is escaped.
    func logger(for caller: Caller) -> Logger {
        var logger = logger
        logger[metadataKey: "mesh"] = "\(caller.mesh)"
        logger[metadataKey: "identity"] = "\(caller.identity)"
        logger[metadataKey: "proxy"] = "\(LogText.escaped(caller.proxy))"
        return logger
    }
}
