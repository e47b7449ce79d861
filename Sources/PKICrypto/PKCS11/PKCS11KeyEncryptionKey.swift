import CPKCS11
internal import PKI

/// A key-encryption key in a PKCS #11 token, which it never leaves: AES-256, used by CKM_AES_GCM.
package struct PKCS11KeyEncryptionKey: DataKeyWrapping {
    package let id: String
    private let place: PKCS11URI

    /// Finds the key and learns its id; throws where it could leave the token.
    package init(at place: PKCS11URI) async throws(PKCS11Failure) {
        self.place = place
        let object = place.object
        let proof = try await PKCS11Token.at(place.location).perform(
            "find the key-encryption key", pinFile: place.location.pinFile, isUrged: true
        ) { session throws(PKCS11Session.Fault) in
            try PKCS11KeyEncryptionKey.identify(try PKCS11KeyEncryptionKey.key(object, in: session), in: session)
        }
        id = proof
    }

    /// What a key makes of a constant, under a nonce that no message has: no other key makes it, and no key follows from it. The
    /// data keys' nonces are random, so that one meets none of them (2⁻⁹⁶ each).
    private static func identify(
        _ key: CK_OBJECT_HANDLE, in session: PKCS11Session
    ) throws(PKCS11Session.Fault) -> String {
        let proof = try session.encrypt(
            SecretBytes(Array("signet kek id v1".utf8)), with: key, nonce: Array("signet kekid".utf8), additionalData: [])
        return Hex.encode(Digest.sha256(proof).prefix(8))
    }

    /// Makes an AES key of 256 bits in the token; throws where one has the label already.
    package static func generate(at place: PKCS11URI) async throws(PKCS11Failure) {
        let object = place.object
        try await PKCS11Token.at(place.location).perform(
            "generate a key", pinFile: place.location.pinFile, within: PKCS11Token.generationLimit, isUrged: true
        ) { session throws(PKCS11Session.Fault) in
            guard try session.objects(template(object)).isEmpty else {
                throw PKCS11Session.Fault(failure: .keyPresent(token: session.token, key: name(object)))
            }
            _ = try session.generateKey(
                template(object).adding(CKA_KEY_TYPE, number: CKK_AES).adding(CKA_VALUE_LEN, number: CK_ULONG(AESGCM.keyCount))
                    .adding(CKA_TOKEN, true).adding(CKA_PRIVATE, true).adding(CKA_SENSITIVE, true)
                    .adding(CKA_EXTRACTABLE, false).adding(CKA_ENCRYPT, true).adding(CKA_DECRYPT, true)
                    .adding(CKA_WRAP, false).adding(CKA_UNWRAP, false).adding(CKA_ID, SecureRandom.bytes(8)),
                name: name(object))
        }
    }

    package func wrap(_ dataKey: SecretBytes, additionalData: [UInt8]) async throws(KeyEncryptionKeyFailure) -> [UInt8] {
        let object = place.object
        let nonce = SecureRandom.bytes(AESGCM.nonceCount)
        do {
            return try await PKCS11Token.at(place.location).perform("wrap a key", pinFile: place.location.pinFile) {
                session throws(PKCS11Session.Fault) in
                let key = try PKCS11KeyEncryptionKey.key(object, in: session)
                return nonce + (try session.encrypt(dataKey, with: key, nonce: nonce, additionalData: additionalData))
            }
        } catch {
            throw .token(error)
        }
    }

    package func unwrap(
        _ wrapped: [UInt8], additionalData: [UInt8]
    ) async throws(KeyEncryptionKeyFailure) -> SecretBytes? {
        guard wrapped.count >= AESGCM.nonceCount + AESGCM.tagCount else { return nil }
        let (object, id) = (place.object, id)
        let (nonce, ciphertext) = (Array(wrapped.prefix(AESGCM.nonceCount)), Array(wrapped.dropFirst(AESGCM.nonceCount)))
        do {
            return try await PKCS11Token.at(place.location).perform("unwrap a key", pinFile: place.location.pinFile) {
                session throws(PKCS11Session.Fault) -> SecretBytes? in
                let key = try PKCS11KeyEncryptionKey.key(object, in: session)
                do throws(PKCS11Session.Fault) {
                    return try session.decrypt(ciphertext, with: key, nonce: nonce, additionalData: additionalData)
                } catch {
                    // SoftHSM calls a tag that does not fit a general error. Where the key itself works, it is the ciphertext.
                    guard error.code == CKR_GENERAL_ERROR || error.code == CKR_FUNCTION_FAILED,
                        try PKCS11KeyEncryptionKey.identify(key, in: session) == id
                    else { throw error }
                    return nil
                }
            }
        } catch {
            throw .token(error)
        }
    }

    private static func key(_ object: String, in session: PKCS11Session) throws(PKCS11Session.Fault) -> CK_OBJECT_HANDLE {
        try session.key(template(object), name: name(object))
    }

    private static func template(_ object: String) -> PKCS11Attributes {
        PKCS11Attributes().adding(CKA_CLASS, number: CKO_SECRET_KEY).adding(CKA_LABEL, object)
    }

    private static func name(_ object: String) -> String { "labelled '\(object)'" }
}
