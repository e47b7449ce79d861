import CPKCS11
internal import PKI

/// A session with a token: the calls that are made in it.
///
/// Only used on its token's queue.
struct PKCS11Session: Sendable {
    /// A failed call: the code decides whether a new session may do.
    struct Fault: Error {
        var failure: PKCS11Failure
        /// Zero where no function of the module said it.
        var code: CK_RV = CK_RV(CKR_OK)
    }

    let module: PKCS11Module
    let handle: CK_SESSION_HANDLE
    /// The token's label, for messages.
    let token: String

    var functions: UnsafePointer<CK_FUNCTION_LIST> { module.functions }

    func check(_ code: CK_RV?, _ operation: String) throws(Fault) {
        let code = code ?? CKR_FUNCTION_NOT_SUPPORTED
        guard code != CKR_OK else { return }
        throw Fault(failure: .returned(token: token, operation: operation, code: PKCS11Return.name(code)), code: code)
    }

    /// The objects that have all the attributes, at most nine.
    func objects(_ template: PKCS11Attributes) throws(Fault) -> [CK_OBJECT_HANDLE] {
        let operation = "look for a key"
        try check(
            template.withAttributes { functions.pointee.C_FindObjectsInit?(handle, $0, $1) ?? CKR_FUNCTION_NOT_SUPPORTED },
            operation)
        var found = [CK_OBJECT_HANDLE](repeating: 0, count: 9)
        var count: CK_ULONG = 0
        let code = functions.pointee.C_FindObjects?(handle, &found, CK_ULONG(found.count), &count)
        let end = functions.pointee.C_FindObjectsFinal?(handle)
        try check(code, operation)
        try check(end, operation)
        return Array(found.prefix(Int(count)))
    }

    /// The one key that has the attributes; it must be unable to leave the token. `name` is for messages.
    func key(_ template: PKCS11Attributes, name: String) throws(Fault) -> CK_OBJECT_HANDLE {
        let found = try objects(template)
        guard let key = found.first else { throw Fault(failure: .keyMissing(token: token, key: name)) }
        guard found.count == 1 else { throw Fault(failure: .keyAmbiguous(token: token, key: name, count: found.count)) }
        guard try flag(CKA_EXTRACTABLE, of: key) == false, try flag(CKA_SENSITIVE, of: key) == true else {
            throw Fault(failure: .keyExtractable(token: token, key: name))
        }
        return key
    }

    func attribute(_ type: CK_ATTRIBUTE_TYPE, of object: CK_OBJECT_HANDLE) throws(Fault) -> [UInt8] {
        let operation = "read an attribute of a key"
        var attribute = CK_ATTRIBUTE(type: type, pValue: nil, ulValueLen: 0)
        try check(functions.pointee.C_GetAttributeValue?(handle, object, &attribute, 1), operation)
        // CK_UNAVAILABLE_INFORMATION is the largest number there is; the longest attribute asked for is a modulus.
        guard attribute.ulValueLen <= 4096 else {
            throw Fault(failure: .returned(token: token, operation: operation, code: "an attribute without a length"))
        }
        var value = [UInt8](repeating: 0, count: Int(attribute.ulValueLen))
        let code = value.withUnsafeMutableBytes { buffer in
            attribute.pValue = buffer.baseAddress
            return functions.pointee.C_GetAttributeValue?(handle, object, &attribute, 1)
        }
        try check(code, operation)
        return Array(value.prefix(Int(attribute.ulValueLen)))
    }

    private func flag(_ type: CK_ATTRIBUTE_TYPE, of object: CK_OBJECT_HANDLE) throws(Fault) -> Bool? {
        try attribute(type, of: object).first.map { $0 != 0 }
    }

    /// Makes a key pair of which the private half can never leave: checked on what the token made, not only asked for.
    func generateKeyPair(
        _ mechanism: CK_MECHANISM_TYPE, publicKey: PKCS11Attributes, privateKey: PKCS11Attributes, name: String
    ) throws(Fault) -> (public: CK_OBJECT_HANDLE, private: CK_OBJECT_HANDLE) {
        var mechanism = CK_MECHANISM(mechanism: mechanism, pParameter: nil, ulParameterLen: 0)
        var pair = (public: CK_OBJECT_HANDLE(0), private: CK_OBJECT_HANDLE(0))
        let code = publicKey.withAttributes { publicAttributes, publicCount in
            privateKey.withAttributes { privateAttributes, privateCount in
                functions.pointee.C_GenerateKeyPair?(
                    handle, &mechanism, publicAttributes, publicCount, privateAttributes, privateCount, &pair.public,
                    &pair.private)
            }
        }
        try check(code, "generate a key pair")
        do throws(Fault) {
            try confirmMadeInside(pair.private, name: name)
        } catch {
            destroy([pair.public, pair.private])
            throw error
        }
        return pair
    }

    /// Makes an AES key of 256 bits that can never leave.
    func generateKey(_ template: PKCS11Attributes, name: String) throws(Fault) -> CK_OBJECT_HANDLE {
        var mechanism = CK_MECHANISM(mechanism: CKM_AES_KEY_GEN, pParameter: nil, ulParameterLen: 0)
        var key: CK_OBJECT_HANDLE = 0
        let code = template.withAttributes { functions.pointee.C_GenerateKey?(handle, &mechanism, $0, $1, &key) }
        try check(code, "generate a key")
        do throws(Fault) {
            try confirmMadeInside(key, name: name)
        } catch {
            destroy([key])
            throw error
        }
        return key
    }

    private func confirmMadeInside(_ key: CK_OBJECT_HANDLE, name: String) throws(Fault) {
        for (type, expected) in [
            (CKA_EXTRACTABLE, false), (CKA_SENSITIVE, true), (CKA_ALWAYS_SENSITIVE, true), (CKA_NEVER_EXTRACTABLE, true),
            (CKA_LOCAL, true),
        ] where try flag(type, of: key) != expected {
            throw Fault(failure: .keyExtractable(token: token, key: name))
        }
    }

    /// Takes back what was made a moment ago; what does not go stays as a key that nothing trusts.
    func destroy(_ objects: [CK_OBJECT_HANDLE]) {
        for object in objects { _ = functions.pointee.C_DestroyObject?(handle, object) }
    }

    /// A signature as the mechanism gives it.
    func sign(_ data: [UInt8], with key: CK_OBJECT_HANDLE, _ mechanism: CK_MECHANISM_TYPE) throws(Fault) -> [UInt8] {
        var mechanism = CK_MECHANISM(mechanism: mechanism, pParameter: nil, ulParameterLen: 0)
        try check(functions.pointee.C_SignInit?(handle, &mechanism, key), "sign")
        var data = data
        // RSA with 4096 bits is the longest.
        var signature = [UInt8](repeating: 0, count: 512)
        var count = CK_ULONG(signature.count)
        try check(functions.pointee.C_Sign?(handle, &data, CK_ULONG(data.count), &signature, &count), "sign")
        return Array(signature.prefix(Int(count)))
    }

    /// AES-GCM with a tag of 16 octets behind the ciphertext.
    func encrypt(
        _ plaintext: SecretBytes, with key: CK_OBJECT_HANDLE, nonce: [UInt8], additionalData: [UInt8]
    ) throws(Fault) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: plaintext.count + AESGCM.tagCount)
        var count = CK_ULONG(output.count)
        let code = withGCM(nonce: nonce, additionalData: additionalData) { mechanism -> CK_RV? in
            let code = functions.pointee.C_EncryptInit?(handle, mechanism, key)
            guard code == CKR_OK else { return code }
            return plaintext.withUnsafeBytes { bytes in
                let input = UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: CK_BYTE.self)
                return functions.pointee.C_Encrypt?(handle, input, CK_ULONG(bytes.count), &output, &count)
            }
        }
        try check(code, "encrypt with AES-256-GCM")
        guard count == CK_ULONG(output.count) else {
            throw Fault(
                failure: .returned(token: token, operation: "encrypt with AES-256-GCM", code: "a result of \(count) octets"))
        }
        return output
    }

    /// What `encrypt` was given; nil if the tag does not fit.
    func decrypt(
        _ ciphertext: [UInt8], with key: CK_OBJECT_HANDLE, nonce: [UInt8], additionalData: [UInt8]
    ) throws(Fault) -> SecretBytes? {
        var ciphertext = ciphertext
        var code: CK_RV?
        let plaintext = SecretBytes(capacity: ciphertext.count) { buffer in
            var count = CK_ULONG(buffer.count)
            code = withGCM(nonce: nonce, additionalData: additionalData) { mechanism -> CK_RV? in
                let code = functions.pointee.C_DecryptInit?(handle, mechanism, key)
                guard code == CKR_OK else { return code }
                let output = buffer.baseAddress?.assumingMemoryBound(to: CK_BYTE.self)
                return functions.pointee.C_Decrypt?(handle, &ciphertext, CK_ULONG(ciphertext.count), output, &count)
            }
            return code == CKR_OK ? min(Int(count), buffer.count) : 0
        }
        // A tag that does not fit. The specification names the first for it; modules return the others as well.
        if let code, [CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_DATA_INVALID].contains(code) { return nil }
        try check(code, "decrypt with AES-256-GCM")
        return plaintext
    }

    private func withGCM<Result>(
        nonce: [UInt8], additionalData: [UInt8], _ body: (UnsafeMutablePointer<CK_MECHANISM>) -> Result
    ) -> Result {
        var (nonce, additionalData) = (nonce, additionalData)
        return nonce.withUnsafeMutableBufferPointer { nonce in
            additionalData.withUnsafeMutableBufferPointer { additionalData in
                var parameters = CK_GCM_PARAMS(
                    pIv: nonce.baseAddress, ulIvLen: CK_ULONG(nonce.count), ulIvBits: CK_ULONG(nonce.count * 8),
                    pAAD: additionalData.baseAddress, ulAADLen: CK_ULONG(additionalData.count),
                    ulTagBits: CK_ULONG(AESGCM.tagCount * 8))
                return withUnsafeMutablePointer(to: &parameters) { parameters in
                    var mechanism = CK_MECHANISM(
                        mechanism: CKM_AES_GCM, pParameter: parameters,
                        ulParameterLen: CK_ULONG(MemoryLayout<CK_GCM_PARAMS>.size))
                    return body(&mechanism)
                }
            }
        }
    }
}
