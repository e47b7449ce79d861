/// The answer to a change that was made.
package struct ChangeMessage: Codable, Sendable, Hashable {
    /// What was accepted and will not be acted on; empty most of the time.
    package var warnings: [String]

    package init(warnings: [String] = []) {
        self.warnings = warnings
    }
}
