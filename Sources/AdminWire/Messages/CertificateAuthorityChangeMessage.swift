/// The answer to a `CertificateAuthority` document.
package struct CertificateAuthorityChangeMessage: Codable, Sendable, Hashable {
    /// What was accepted and will not be acted on; empty most of the time.
    package var warnings: [String]
    /// The ids of the rotations that the change started, one for each mesh that joins; empty in a dry run.
    package var rotations: [String]
    /// Which meshes go where by those rotations; in a dry run, by those that would start.
    package var moves: [MoveMessage]
    /// Only in a dry run: whether the document would be created.
    package var created: Bool?
    /// Only in a dry run: who would begin or cease to accept whom, once everything that would start has completed.
    package var trust: TrustChangeMessage?
    /// Only in a dry run: empty where nothing would change.
    package var differences: [JSONDifference]?

    package init(
        warnings: [String] = [], rotations: [String] = [], moves: [MoveMessage] = [], created: Bool? = nil,
        trust: TrustChangeMessage? = nil, differences: [JSONDifference]? = nil
    ) {
        self.warnings = warnings
        self.rotations = rotations
        self.moves = moves
        self.created = created
        self.trust = trust
        self.differences = differences
    }
}
