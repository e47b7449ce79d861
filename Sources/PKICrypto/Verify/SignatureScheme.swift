import X509

/// The signature algorithms that are accepted in certificates and CSRs; any other counts as too weak.
///
/// SHA-1 and shorter are broken; ECDSA with SHA-512, RSA-PSS and Ed25519 are sound, but no certificate here has them and
/// not every proxy accepts them.
enum SignatureScheme: Sendable {
    case ecdsaSHA256
    case ecdsaSHA384
    case rsaSHA256
    case rsaSHA384
    case rsaSHA512

    /// Recognises an AlgorithmIdentifier by its DER encoding; nil for one that is not accepted.
    init?(algorithmIdentifier: ArraySlice<UInt8>) {
        guard let scheme = SignatureScheme.byEncoding[algorithmIdentifier] else { return nil }
        self = scheme
    }

    /// Whether `signature` over `message` was made with the private half of `key`.
    func verifies(_ signature: ArraySlice<UInt8>, over message: ArraySlice<UInt8>, with key: Certificate.PublicKey) -> Bool {
        key.isValidSignature(signature, for: message, signatureAlgorithm: algorithm)
    }

    private var algorithm: Certificate.SignatureAlgorithm {
        switch self {
        case .ecdsaSHA256: .ecdsaWithSHA256
        case .ecdsaSHA384: .ecdsaWithSHA384
        case .rsaSHA256: .sha256WithRSAEncryption
        case .rsaSHA384: .sha384WithRSAEncryption
        case .rsaSHA512: .sha512WithRSAEncryption
        }
    }

    /// RFC 5758 §3.2: ECDSA without parameters. RFC 4055 §5: RSA with a NULL, which may be absent.
    private static let byEncoding: [ArraySlice<UInt8>: SignatureScheme] = {
        let ecdsa: [UInt8] = [0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03]
        let pkcs1: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01]
        var schemes: [ArraySlice<UInt8>: SignatureScheme] = [:]
        for (arc, scheme) in [0x02: ecdsaSHA256, 0x03: ecdsaSHA384] as [UInt8: SignatureScheme] {
            schemes[(ecdsa + [arc])[...]] = scheme
        }
        for (arc, scheme) in [0x0B: rsaSHA256, 0x0C: rsaSHA384, 0x0D: rsaSHA512] as [UInt8: SignatureScheme] {
            schemes[([0x30, 0x0D] + pkcs1 + [arc, 0x05, 0x00])[...]] = scheme
            schemes[([0x30, 0x0B] + pkcs1 + [arc])[...]] = scheme
        }
        return schemes
    }()
}
