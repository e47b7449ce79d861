package import PKI

/// Which PKCS #11 modules and PIN files the documents of certificate authorities may name.
///
/// To load a module is to run it, and a PIN file is read and sent to a module: neither is for a document to choose freely, whoever
/// wrote it. The operator of the host lists them.
package struct TokenAccess: Sendable, Hashable {
    /// Absolute paths.
    package var modules: Set<String>
    /// Absolute paths.
    package var pinFiles: Set<String>

    package init(modules: Set<String> = [], pinFiles: Set<String> = []) {
        self.modules = modules
        self.pinFiles = pinFiles
    }

    /// What of a location is not listed, and the configuration key that lists it; nil: all is.
    package func refusal(of location: TokenLocation) -> InvalidParameter? {
        if !modules.contains(location.module) {
            return InvalidParameter(
                field: "keyStore.pkcs11.module",
                reason: "'\(LogText.escaped(location.module))' is not among the modules that this server may load: add it to "
                    + "pkcs11.modules in its configuration")
        }
        if !pinFiles.contains(location.pinFile) {
            return InvalidParameter(
                field: "keyStore.pkcs11.pinFile",
                reason: "'\(LogText.escaped(location.pinFile))' is not among the PIN files that this server may read: add it to "
                    + "pkcs11.pinFiles in its configuration")
        }
        return nil
    }
}
