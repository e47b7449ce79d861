/// The answer to a change of a mesh: by its document, or by sharing a certificate authority with it.
package struct MeshChangeMessage: Codable, Sendable, Hashable {
    /// What was accepted and will not be acted on; empty most of the time.
    package var warnings: [String]
    /// The id of the rotation that the change started; absent when it started none, and in a dry run.
    package var rotation: String?
    /// Where the mesh goes by that rotation; in a dry run, by the one that would start.
    package var move: MoveMessage?
    /// Whose root that rotation replaces, where it moves no mesh; in a dry run, the one that would start.
    package var replacement: RootReplacementMessage?
    /// Only in a dry run: whether the document would be created.
    package var created: Bool?
    /// Only in a dry run: who would begin or cease to accept whom, once everything that would start has completed.
    package var trust: TrustChangeMessage?
    /// Only in a dry run: empty where nothing would change.
    package var differences: [JSONDifference]?

    package init(
        warnings: [String] = [], rotation: String? = nil, move: MoveMessage? = nil,
        replacement: RootReplacementMessage? = nil, created: Bool? = nil, trust: TrustChangeMessage? = nil,
        differences: [JSONDifference]? = nil
    ) {
        self.warnings = warnings
        self.rotation = rotation
        self.move = move
        self.replacement = replacement
        self.created = created
        self.trust = trust
        self.differences = differences
    }
}
