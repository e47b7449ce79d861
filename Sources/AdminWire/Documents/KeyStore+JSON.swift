package import PKI

extension KeyStore {
    /// As documents have it: `"database"`, or a mapping with `pkcs11`.
    package var json: JSONValue {
        switch self {
        case .database: .string("database")
        case .pkcs11(let location):
            .object([
                .init(
                    "pkcs11",
                    .object([
                        .init("module", .string(location.module)), .init("token", .string(location.token)),
                        .init("pinFile", .string(location.pinFile)),
                    ]))
            ])
        }
    }
}
