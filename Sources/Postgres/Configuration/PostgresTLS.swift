/// How the connection to the database is protected.
package struct PostgresTLS: Hashable, Sendable {
    /// libpq's `sslmode`, without its modes that fall back to plain text unasked.
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        /// Plain text; must be asked for.
        case disable
        /// Encrypted, with anyone.
        case require
        /// Encrypted, with a server whose certificate the root signed, of whatever name.
        case verifyCA = "verify-ca"
        /// Encrypted, with the server of that name.
        case verifyFull = "verify-full"
    }

    package var mode: Mode
    /// PEM; required to verify.
    package var rootCertificateFile: String?
    /// The client's certificate, PEM; together with `keyFile` or not at all.
    package var certificateFile: String?
    /// The client's key, PEM; libpq refuses one that others can read.
    package var keyFile: String?

    package init(
        mode: Mode = .verifyFull, rootCertificateFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil
    ) {
        self.mode = mode
        self.rootCertificateFile = rootCertificateFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }

    /// Reads a mode as an operator writes it; libpq's `allow` and `prefer` are refused since they end in plain text unasked.
    package static func mode(_ text: String, key: String = "tls.mode") throws(PostgresConfigurationError) -> Mode {
        if let mode = Mode(rawValue: text) { return mode }
        let modes = Mode.allCases.map(\.rawValue).joined(separator: ", ")
        throw PostgresConfigurationError(key: key, problem: "'\(text)' is not one of \(modes)")
    }

    func validate() throws(PostgresConfigurationError) {
        switch mode {
        case .verifyCA, .verifyFull:
            guard rootCertificateFile != nil else {
                throw PostgresConfigurationError(
                    key: "tls.rootCertificateFile",
                    problem: "is required by tls.mode \(mode.rawValue): name the PEM file of the root that signs the server's "
                        + "certificate, or ask for tls.mode require or disable")
            }
        case .disable, .require:
            break
        }
        guard (certificateFile == nil) == (keyFile == nil) else {
            throw PostgresConfigurationError(
                key: certificateFile == nil ? "tls.certificateFile" : "tls.keyFile",
                problem: "is missing: a client certificate needs its key, and a key its certificate")
        }
    }
}
