/// A setting of the database connection that cannot be used; names the key below the section `postgres`.
package struct PostgresConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Such as `tls.rootCertificateFile`.
    package var key: String
    /// A sentence about the value that says what to do. Never a secret.
    package var problem: String

    package init(key: String, problem: String) {
        self.key = key
        self.problem = problem
    }

    package var description: String { "\(key): \(problem)" }
}
