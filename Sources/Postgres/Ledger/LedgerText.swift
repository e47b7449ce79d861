internal import PKI

/// The ledger's columns as the values that cannot be wrong; a row that does not parse is an error, never skipped.
enum LedgerText {
    static func fingerprint(_ bytes: [UInt8]) throws(PostgresError) -> Fingerprint {
        guard bytes.count == 32 else { throw .unexpectedResult(detail: "a SHA-256 of \(bytes.count) bytes") }
        return Fingerprint(sha256: bytes)
    }

    static func identity(_ text: String) throws(PostgresError) -> SPIFFEID {
        do {
            return try SPIFFEID(text)
        } catch {
            throw .unexpectedResult(detail: "a column holds no SPIFFE ID: \(error)")
        }
    }

    static func mesh(_ text: String) throws(PostgresError) -> MeshName {
        do {
            return try MeshName(text)
        } catch {
            throw .unexpectedResult(detail: "a column holds no mesh name: it \(error)")
        }
    }
}
