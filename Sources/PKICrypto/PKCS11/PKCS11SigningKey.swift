import CPKCS11
package import PKI

/// A private key that was made in a PKCS #11 token and never leaves it.
///
/// Known by its CKA_ID alone, so that it is found again whatever the module, the slot and the handles are by then.
package struct PKCS11SigningKey: SigningKey {
    package let algorithm: KeyAlgorithm
    package let subjectPublicKeyInfo: [UInt8]
    /// CKA_ID.
    private let id: [UInt8]
    private let location: TokenLocation

    /// The key of a reference; nothing is asked of the token before the first signature. `publicKey` is the SubjectPublicKeyInfo that
    /// the certificate states: every signature is verified with it.
    package init(id: String, in location: TokenLocation, publicKey: [UInt8]) throws(SigningFailure) {
        guard let algorithm = SubjectPublicKeyInfo.algorithm(of: publicKey), let octets = Hex.decode(id), !octets.isEmpty else {
            throw .crypto(CryptoFailure("use a key in a token", reasons: ["its reference cannot be read"]))
        }
        self.init(algorithm: algorithm, subjectPublicKeyInfo: publicKey, id: octets, location: location)
    }

    private init(algorithm: KeyAlgorithm, subjectPublicKeyInfo: [UInt8], id: [UInt8], location: TokenLocation) {
        self.algorithm = algorithm
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.id = id
        self.location = location
    }

    /// Makes a key pair in the token: not extractable, sensitive, there to stay. `id` is the CKA_ID, hexadecimal.
    ///
    /// A crash after this leaves a key that no certificate names, and that harms nobody.
    package static func generate(
        _ algorithm: KeyAlgorithm, id: String, label: String, in location: TokenLocation
    ) async throws(PKCS11Failure) -> PKCS11SigningKey {
        let octets = Hex.decode(id) ?? []
        let name = PKCS11SigningKey.name(octets)
        let token = PKCS11Token.at(location)
        let info = try await token.perform(
            "generate a key", pinFile: location.pinFile, within: PKCS11Token.generationLimit, isUrged: true
        ) { session throws(PKCS11Session.Fault) in
            let common = PKCS11Attributes().adding(CKA_TOKEN, true).adding(CKA_ID, octets).adding(CKA_LABEL, label)
            let publicKey = algorithm.addingParameters(to: common.adding(CKA_VERIFY, true))
            let privateKey = common.adding(CKA_PRIVATE, true).adding(CKA_SENSITIVE, true).adding(CKA_EXTRACTABLE, false)
                .adding(CKA_SIGN, true).adding(CKA_DECRYPT, false).adding(CKA_UNWRAP, false).adding(CKA_DERIVE, false)
            let pair = try session.generateKeyPair(
                algorithm.generation, publicKey: publicKey, privateKey: privateKey, name: name)
            do throws(PKCS11Session.Fault) {
                return try algorithm.subjectPublicKeyInfo(of: pair.public, in: session)
            } catch {
                session.destroy([pair.public, pair.private])
                throw error
            }
        }
        return PKCS11SigningKey(algorithm: algorithm, subjectPublicKeyInfo: info, id: octets, location: location)
    }

    /// Takes a key back that was made a moment ago and is not going to be used.
    package func destroy() async throws(PKCS11Failure) {
        let id = id
        try await PKCS11Token.at(location).perform(
            "destroy a key", pinFile: location.pinFile, isUrged: true
        ) { session throws(PKCS11Session.Fault) in
            for kind in [CKO_PRIVATE_KEY, CKO_PUBLIC_KEY] {
                session.destroy(try session.objects(PKCS11Attributes().adding(CKA_CLASS, number: kind).adding(CKA_ID, id)))
            }
        }
    }

    /// Whether the key is there and cannot leave: asked before a certificate authority is told to use another way to it.
    package func confirm() async throws(PKCS11Failure) {
        let (id, name) = (id, PKCS11SigningKey.name(id))
        try await PKCS11Token.at(location).perform(
            "look for a key", pinFile: location.pinFile, isUrged: true
        ) { session throws(PKCS11Session.Fault) in
            _ = try session.key(PKCS11SigningKey.template(id), name: name)
        }
    }

    package func signature(ofDigest digest: [UInt8]) async throws(SigningFailure) -> [UInt8] {
        let (id, name) = (id, PKCS11SigningKey.name(id))
        let (data, mechanism) = (algorithm.signedData(of: digest), algorithm.mechanism)
        let raw: [UInt8]
        do {
            raw = try await PKCS11Token.at(location).perform("sign", pinFile: location.pinFile) {
                session throws(PKCS11Session.Fault) in
                try session.sign(data, with: try session.key(PKCS11SigningKey.template(id), name: name), mechanism)
            }
        } catch {
            throw .token(error)
        }
        let signature = algorithm.encoded(raw)
        guard
            SignatureCheck.passes(signature, digest: digest, publicKey: subjectPublicKeyInfo, algorithm: algorithm)
        else { throw .token(.keyMismatch(token: location.token, key: name)) }
        return signature
    }

    private static func template(_ id: [UInt8]) -> PKCS11Attributes {
        PKCS11Attributes().adding(CKA_CLASS, number: CKO_PRIVATE_KEY).adding(CKA_ID, id)
    }

    private static func name(_ id: [UInt8]) -> String { "with the id \(Hex.encode(id))" }
}

extension TokenLocation {
    /// Whether the token can be reached and takes the PIN.
    package func confirm() async throws(PKCS11Failure) {
        try await PKCS11Token.at(self).perform("log in", pinFile: pinFile, isUrged: true) {
            _ throws(PKCS11Session.Fault) in
        }
    }

    /// Whether the token failed a moment ago: who is in no hurry waits.
    package var isPausing: Bool { PKCS11Token.at(self).isPausing }
}
