/// A token or an identity that is revoked: exactly one of the two is there.
package struct RevocationMessage: Codable, Sendable, Hashable {
    /// `jti`.
    package var token: String?
    /// A SPIFFE ID.
    package var identity: String?

    package init(token: String) {
        self.token = token
    }

    package init(identity: String) {
        self.identity = identity
    }
}
