/// A root and key that cannot be used here, with everything that is wrong with them, so that it is put right in one go.
package struct ProvidedAuthorityRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// At least one; those of the certificate first, the one that explains the others before them.
    package let problems: [ProvidedAuthorityProblem]

    init(_ problems: [ProvidedAuthorityProblem]) {
        self.problems = problems
    }

    package var description: String { problems.map(\.description).joined(separator: "; ") }
}
