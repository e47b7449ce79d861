/// Whether a mesh would accept a peer's chain.
package struct VerificationMessage: Codable, Sendable, Hashable {
    package var accepted: Bool
    /// Stable and kebab-case; `accepted` when it is.
    package var reason: String
    package var detail: String
    /// The leaf's SPIFFE ID, where it could be read.
    package var identity: String?

    package init(accepted: Bool, reason: String, detail: String, identity: String?) {
        self.accepted = accepted
        self.reason = reason
        self.detail = detail
        self.identity = identity
    }
}
