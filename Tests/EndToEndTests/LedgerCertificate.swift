/// A row of `signet get certificates -o json`.
struct LedgerCertificate: Decodable, Hashable, Sendable {
    let serial: String
    let kind: String
    let identity: String?
    /// SHA-256 of the TBSCertificate.
    let digest: String
    let notAfter: String
}
