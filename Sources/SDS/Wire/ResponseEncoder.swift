package import GRPCHTTP2
internal import Synchronization

/// Responses as octets. A validation context is encoded once for each version and name, and shared by all streams that are
/// sent it; an identity is one proxy's, and nothing of it is kept.
package final class ResponseEncoder: Sendable {
    private struct Key: Hashable {
        var name: String
        var version: String
    }

    private struct Kept {
        /// Used since the last change of state, or between that and the one before: what is in neither is no longer served.
        var recent: [Key: [UInt8]] = [:]
        var older: [Key: [UInt8]] = [:]

        mutating func find(_ key: Key) -> [UInt8]? {
            if let known = recent[key] { return known }
            guard let known = older.removeValue(forKey: key) else { return nil }
            recent[key] = known
            return known
        }

        mutating func keep(_ secret: [UInt8], for key: Key) {
            if recent.count + older.count < ResponseEncoder.mostKept { recent[key] = secret }
        }
    }

    private let replica: String
    private let kept = Mutex(Kept())

    /// Contexts kept at most; beyond it they are encoded each time. A mesh whose services open doors has a few for each
    /// service, of some kilobytes.
    private static let mostKept = 4096

    /// `replica` names this process in each response.
    package init(replica: String) {
        self.replica = replica
    }

    /// The authority's state has changed: contexts that nobody was sent since the last change are forgotten.
    package func stateChanged() {
        kept.withLock { kept in
            kept.older = kept.recent
            kept.recent = [:]
        }
    }

    /// Contexts that are kept.
    package var keptCount: Int { kept.withLock { $0.recent.count + $0.older.count } }

    /// The response as the message of its form. Throws what SwiftProtobuf throws.
    package func encode(_ response: SecretResponse, as form: SecretStream.Form) throws -> FramedMessage {
        let wire = form.wire
        let secrets = try response.resources.map(encoded)
        let hasKey = response.resources.contains { if case .identity = $0.content { true } else { false } }
        return FramedMessage(capacity: wire.size(of: response, secrets, from: replica), isSecret: hasKey) {
            wire.write(response, secrets, from: replica, to: &$0)
        }
    }

    private func encoded(_ resource: SecretResource) throws -> EncodedSecret {
        switch resource.content {
        case .identity(let leaf):
            return .identity(name: resource.name, leaf)
        case .trust(let context):
            let key = Key(name: resource.name, version: resource.version)
            if let known = kept.withLock({ $0.find(key) }) { return .ready(known) }
            let octets = try SecretEncoder.octets(of: context, under: resource.name)
            kept.withLock { $0.keep(octets, for: key) }
            return .ready(octets)
        }
    }
}
