/// The answer to a `CertificateAuthority` document.
package struct CertificateAuthorityChangeMessage: Codable, Sendable, Hashable {
    /// What was accepted and will not be acted on; empty most of the time.
    package var warnings: [String]
    /// The ids of the rotations that the change started, one for each mesh that joins and then the one that replaces the root;
    /// empty in a dry run.
    package var rotations: [String]
    /// Which meshes go where by those rotations; in a dry run, by those that would start.
    package var moves: [MoveMessage]
    /// The replacement of its own root; in a dry run, the one that would start.
    package var replacement: RootReplacementMessage?
    /// Only in a dry run: whether the document would be created.
    package var created: Bool?
    /// Only in a dry run: who would begin or cease to accept whom, once everything that would start has completed.
    package var trust: TrustChangeMessage?
    /// Only in a dry run: empty where nothing would change.
    package var differences: [JSONDifference]?

    package init(
        warnings: [String] = [], rotations: [String] = [], moves: [MoveMessage] = [],
        replacement: RootReplacementMessage? = nil, created: Bool? = nil, trust: TrustChangeMessage? = nil,
        differences: [JSONDifference]? = nil
    ) {
        self.warnings = warnings
        self.rotations = rotations
        self.moves = moves
        self.replacement = replacement
        self.created = created
        self.trust = trust
        self.differences = differences
    }
}
