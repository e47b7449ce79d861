internal import Authority
internal import AuthorityService
internal import Foundation
internal import GRPCCore
internal import Logging
internal import PKI

/// What every stream and call of one door shares.
struct SecretServer: Sendable {
    let authority: MeshAuthority
    let door: Door
    let limits: StreamLimits
    let logger: Logger

    /// Who is calling. Throws what the caller is told.
    func authenticate(metadata: Metadata, nodeID: String, context: ServerContext) async throws(RPCError) -> Caller {
        guard nodeID.utf8.count <= limits.mostNodeIDBytes else {
            throw RPCError(
                code: .invalidArgument,
                message: "node.id has \(nodeID.utf8.count) octets, and at most \(limits.mostNodeIDBytes) are accepted")
        }
        let credentials = ProxyCredentials(
            token: SecretServer.token(in: metadata), peerChain: door.peerChain(context),
            requiresCertificate: door.requiresCertificate, nodeID: nodeID, source: context.remotePeer,
            requestID: UUID().uuidString.lowercased())
        do {
            return try await authority.authenticate(credentials)
        } catch {
            throw RPCError(error)
        }
    }

    /// The token in `authorization`, with or without `Bearer `; nil when there is no such header.
    ///
    /// Several headers are joined as RFC 9110 §5.3 joins them: that is no token, and is refused, counted and audited as one
    /// that is not valid.
    static func token(in metadata: Metadata) -> String? {
        let values = Array(metadata[stringValues: "authorization"])
        guard !values.isEmpty else { return nil }
        let value = values.joined(separator: ", ")
        let scheme = "Bearer "
        guard value.prefix(scheme.count).lowercased() == scheme.lowercased() else { return value }
        return String(value.dropFirst(scheme.count))
    }

    /// The world now, as a stream of `caller` sees it.
    func outlook(for caller: Caller) -> Outlook {
        let authority = authority
        // Taken first: what is looked up after it can only be newer, and is then looked up again.
        let revision = authority.state.revision
        var refusal: Refusal?
        do {
            try authority.standing(of: caller)
        } catch {
            refusal = error
        }
        return Outlook(
            now: authority.clock.now, revision: revision, refusal: refusal,
            trust: { name in
                do throws(Refusal) {
                    return .success(try authority.trust(name, for: caller))
                } catch {
                    return .failure(error)
                }
            },
            held: { authority.heldLeaf(version: $0, by: caller) },
            replacement: { authority.replacement(of: $0, for: caller) })
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
