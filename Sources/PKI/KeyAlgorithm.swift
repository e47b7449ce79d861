/// What kind of key a certificate authority's root has. Issuing certificates and leaves are always EC P-256.
package enum KeyAlgorithm: String, Hashable, Sendable, Codable, CaseIterable {
    case ecP256 = "EC-P256"
    case ecP384 = "EC-P384"
    case rsa2048 = "RSA-2048"
    case rsa3072 = "RSA-3072"
    case rsa4096 = "RSA-4096"
}
