/// The answer to a revocation.
package struct IssuerRevocationMessage: Codable, Sendable, Hashable {
    /// The ids of the issuers: the one that was named, then those that had signed a living cross certificate for it.
    package var revoked: [String]
    /// The root that was made, or brought; absent where none had to be.
    package var newIssuer: String?
    /// The id of the rotation by which one sees who has followed; absent where no mesh trusted them.
    package var rotation: String?
    package var warnings: [String]

    package init(revoked: [String], newIssuer: String?, rotation: String?, warnings: [String]) {
        self.revoked = revoked
        self.newIssuer = newIssuer
        self.rotation = rotation
        self.warnings = warnings
    }
}
