internal import Authority
internal import PKI

/// Whose bucket it is: a digest of that, so that no name, however long, takes more room than another. Two that share one by
/// chance, of which nobody can choose the other, share a rate.
struct LimitKey: Hashable, Sendable {
    private let digest: Int

    init(_ parts: any Hashable & Sendable...) {
        var hasher = Hasher()
        for part in parts { part.hash(into: &hasher) }
        digest = hasher.finalize()
    }

    /// One proxy: its identity alone is its whole service's, and a token may be, too.
    init(_ caller: Caller, node: String) {
        self.init(caller.identity, caller.tokenID, node)
    }

    /// A client certificate, whatever is shown beside it; nil where there is none.
    init?(leafOf credentials: ProxyCredentials) {
        guard let leaf = credentials.peerChain?.first else { return nil }
        self.init(leaf)
    }

    /// What was shown, by whomever.
    init(credentials: ProxyCredentials) {
        self.init(credentials.token, credentials.peerChain?.first)
    }
}
