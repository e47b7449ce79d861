import CPKCS11
import PKI
import Testing
import TokenSupport

@testable import PKICrypto

/// A key-encryption key that never leaves its token, beside one from a file.
@Suite(.timeLimit(.minutes(1))) struct TokenKeyEncryptionKeyTests {
    private static let context = SealingContext(owner: "payments.ca-1", name: "0123456789abcdef")

    private static func place(_ object: String) async throws -> String {
        let hsm = try await SoftHSM.inThisProcess()
        let pin = try hsm.writePIN(SoftHSM.unitPIN, named: "unit-6.pin")
        return "pkcs11:token=unit-6;object=\(object)?module-path=\(SoftHSM.module)&pin-source=\(pin)"
    }

    private static func key(_ object: String) async throws -> any DataKeyWrapping {
        let place = try await place(object)
        try await KeyEncryptionKey.generate(at: place)
        return try await KeyEncryptionKey.named(place)
    }

    @Test func `what a key in a token sealed opens with it alone, and for its own row alone`() async throws {
        let key = try await TokenKeyEncryptionKeyTests.key("kek%20one")
        let ring = KeyRing(key)
        let secret = SecretBytes.random(138)
        let sealed = try await ring.seal(secret, context: TokenKeyEncryptionKeyTests.context)
        #expect(sealed.keyEncryptionKeyID == key.id && sealed.wrappedDataKey.count == 12 + 32 + 16)
        #expect(try await ring.open(sealed, context: TokenKeyEncryptionKeyTests.context).isEqual(to: secret))
        let other = SealingContext(owner: "orders.ca-1", name: "0123456789abcdef")
        await #expect(throws: KeyEncryptionKeyFailure.doesNotOpen(other)) { try await ring.open(sealed, context: other) }
        for index in [0, 12, 44, 59] {
            var damaged = sealed
            damaged.wrappedDataKey[index] ^= 1
            await #expect(throws: KeyEncryptionKeyFailure.doesNotOpen(TokenKeyEncryptionKeyTests.context)) {
                try await ring.open(damaged, context: TokenKeyEncryptionKeyTests.context)
            }
        }
    }

    @Test func `its id is its own, the same whenever it is found`() async throws {
        let first = try await TokenKeyEncryptionKeyTests.key("kek-id-1")
        let second = try await TokenKeyEncryptionKeyTests.key("kek-id-2")
        #expect(first.id != second.id && first.id.count == 16)
        #expect(try await KeyEncryptionKey.named(TokenKeyEncryptionKeyTests.place("kek-id-1")).id == first.id)
    }

    @Test func `a ring opens what either of its keys sealed, and seals with one`() async throws {
        let inToken = try await TokenKeyEncryptionKeyTests.key("kek-ring")
        let fromFile = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        let context = TokenKeyEncryptionKeyTests.context
        let old = try fromFile.seal(SecretBytes(Array("old".utf8)), context: context)
        let ring = KeyRing(inToken, others: [fromFile])
        #expect(ring.ids == [inToken.id, fromFile.id])
        #expect(try await ring.open(old, context: context).isEqual(to: SecretBytes(Array("old".utf8))))
        let new = try await ring.seal(SecretBytes(Array("new".utf8)), context: context)
        #expect(new.keyEncryptionKeyID == inToken.id)
        #expect(try await KeyRing(inToken).open(new, context: context).isEqual(to: SecretBytes(Array("new".utf8))))
        await #expect(throws: KeyEncryptionKeyFailure.anotherKey(sealedWith: fromFile.id, have: inToken.id)) {
            try await KeyRing(inToken).open(old, context: context)
        }
        // The same bytes as the key of a file makes and opens.
        let same = try await KeyRing(fromFile).seal(SecretBytes(Array("same".utf8)), context: context)
        #expect(try fromFile.open(same, context: context).isEqual(to: SecretBytes(Array("same".utf8))))
    }

    @Test func `a key is never made twice under one name, and one that could leave is not used`() async throws {
        _ = try await TokenKeyEncryptionKeyTests.key("kek-twice")
        let place = try await TokenKeyEncryptionKeyTests.place("kek-twice")
        await #expect(
            throws: KeyEncryptionKeyFailure.token(.keyPresent(token: "unit-6", key: "labelled 'kek-twice'"))
        ) { try await KeyEncryptionKey.generate(at: place) }
        let location = try await PKCS11URI(TokenKeyEncryptionKeyTests.place("kek-open")).location
        try await PKCS11Token.at(location).perform("make", pinFile: location.pinFile) {
            session throws(PKCS11Session.Fault) in
            var mechanism = CK_MECHANISM(mechanism: CKM_AES_KEY_GEN, pParameter: nil, ulParameterLen: 0)
            var key = CK_OBJECT_HANDLE(0)
            let template = PKCS11Attributes().adding(CKA_LABEL, "kek-open").adding(CKA_TOKEN, true).adding(
                CKA_VALUE_LEN, number: 32
            )
            .adding(CKA_EXTRACTABLE, true).adding(CKA_SENSITIVE, false).adding(CKA_ENCRYPT, true)
            try session.check(
                template.withAttributes {
                    session.functions.pointee.C_GenerateKey?(session.handle, &mechanism, $0, $1, &key)
                }, "make a key")
        }
        await #expect(throws: KeyEncryptionKeyFailure.token(.keyExtractable(token: "unit-6", key: "labelled 'kek-open'"))) {
            try await KeyEncryptionKey.named(TokenKeyEncryptionKeyTests.place("kek-open"))
        }
    }

    @Test(arguments: [
        ("pkcs11:token=t;object=o", "module-path"),
        ("pkcs11:token=t;object=o?module-path=/m", "pin-source"),
        ("pkcs11:object=o?module-path=/m&pin-source=/p", "token"),
        ("pkcs11:token=t;object=o?module-path=m.so&pin-source=/p", "absolute"),
        ("pkcs11:token=t;object=o?module-path=/m&pin-source=/p&pin-value=1234", "PIN itself"),
        ("pkcs11:token=t;object=o;slot-id=3?module-path=/m&pin-source=/p", "slot-id"),
        ("pkcs11:token=t;token=u;object=o?module-path=/m&pin-source=/p", "two of token"),
        ("pkcs11:token=%zz;object=o?module-path=/m&pin-source=/p", "token cannot be read"),
        ("/etc/signet/key", "pkcs11:"),
    ])
    func `a URI that says too little, too much or nonsense is refused with the reason`(text: String, word: String) {
        let failure = #expect(throws: PKCS11Failure.self) { try PKCS11URI(text) }
        #expect(failure?.description.contains(word) == true, "\(String(describing: failure))")
        #expect(failure?.description.contains("1234") == false)
    }

    @Test func `a URI names token, key, module and PIN file`() throws {
        let uri = try PKCS11URI("pkcs11:object=my%20key;token=the%3Btoken?pin-source=file:/etc/pin&module-path=/usr/lib/m.so")
        #expect(uri.object == "my key")
        #expect(uri.location == TokenLocation(module: "/usr/lib/m.so", token: "the;token", pinFile: "/etc/pin"))
        let loud = try PKCS11URI("PKCS11:object=my%20key;token=the%3Btoken?pin-source=file:/etc/pin&module-path=/usr/lib/m.so")
        #expect(loud == uri && PKCS11URI.isMeant(by: "Pkcs11:token=a") && !PKCS11URI.isMeant(by: "/etc/pkcs11:a"))
    }
}
