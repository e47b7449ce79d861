internal import Authority
internal import PKI
import Synchronization

/// Whom the proxies of one mesh are to accept: each context is made, and its version digested, once for all that get the same.
///
/// A table belongs to one edition of its mesh: snapshots that differ only in what does not concern the mesh share it.
final class TrustTable: Sendable {
    private struct Key: Hashable {
        var name: SecretName
        /// Doors open for a service, and a context depends on nothing else of a caller.
        var service: String?
    }

    private let made = Mutex<[Key: ServedTrust]>([:])
    /// A mesh has as many contexts as services that doors and names speak of. What is beyond is made each time, so that names and
    /// tags that somebody invents take no memory.
    private static let most = 4096

    /// What `name` stands for to `caller`, by `state`, which must be of this table's edition.
    func served(_ name: SecretName, for caller: Caller, in state: AuthorityState) throws(Refusal) -> ServedTrust {
        let key =
            switch name {
            case .allTrust, .identity, .meshTrust: Key(name: name, service: nil)
            case .destinations, .peers, .service: Key(name: name, service: caller.service)
            }
        if let served = made.withLock({ $0[key] }) { return served }
        let context = try state.validationContext(name, for: caller)
        let served = ServedTrust(context: context, version: context.version)
        made.withLock { made in if made.count < TrustTable.most { made[key] = served } }
        return served
    }
}
