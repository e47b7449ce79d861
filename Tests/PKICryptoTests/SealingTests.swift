import PKI
import PKICrypto
import Testing

@Suite struct SealingTests {
    private static let secret = SecretBytes((0..<138).map { UInt8($0) })
    private static let context = SealingContext(owner: "payments.ca-1", name: "0123456789abcdef")

    private static func key() throws -> KeyEncryptionKey { try KeyEncryptionKey(bytes: SecretBytes.random(32)) }

    @Test func `what was sealed opens again`() throws {
        let key = try SealingTests.key()
        for count in [0, 1, 138, 5000] {
            let secret = SecretBytes.random(count)
            let sealed = try key.seal(secret, context: SealingTests.context)
            #expect(sealed.keyEncryptionKeyID == key.id)
            #expect(try key.open(sealed, context: SealingTests.context).isEqual(to: secret))
        }
    }

    @Test func `no sealed form holds the secret, and no two are the same`() throws {
        let key = try SealingTests.key()
        let secret = Array("0123456789abcdef0123456789abcdef".utf8)
        let first = try key.seal(SecretBytes(secret), context: SealingTests.context)
        let second = try key.seal(SecretBytes(secret), context: SealingTests.context)
        #expect(first.ciphertext != second.ciphertext)
        #expect(first.wrappedDataKey != second.wrappedDataKey)
        #expect(!first.ciphertext.indices.contains { first.ciphertext[$0...].starts(with: secret.prefix(8)) })
        #expect(first.ciphertext.count == 12 + secret.count + 16)
        #expect(first.wrappedDataKey.count == 12 + 32 + 16)
    }

    @Test(arguments: [
        SealingContext(owner: "orders.ca-1", name: "0123456789abcdef"),
        SealingContext(owner: "payments.ca-1", name: "0123456789abcdee"),
        SealingContext(owner: "payments.ca-10", name: "123456789abcdef"),
        SealingContext(owner: "0123456789abcdef", name: "payments.ca-1"),
        SealingContext(owner: "", name: "payments.ca-10123456789abcdef"),
    ])
    func `a row put in another's place does not open`(other: SealingContext) throws {
        let key = try SealingTests.key()
        let sealed = try key.seal(SealingTests.secret, context: SealingTests.context)
        #expect(throws: KeyEncryptionKeyFailure.doesNotOpen(other)) { try key.open(sealed, context: other) }
    }

    @Test func `two swapped rows do not open, whole or by halves`() throws {
        let key = try SealingTests.key()
        let other = SealingContext(owner: "orders.ca-1", name: "fedcba9876543210")
        let first = try key.seal(SealingTests.secret, context: SealingTests.context)
        let second = try key.seal(SecretBytes.random(138), context: other)
        #expect(throws: KeyEncryptionKeyFailure.doesNotOpen(SealingTests.context)) {
            try key.open(second, context: SealingTests.context)
        }
        let mixed = SealedKey(
            keyEncryptionKeyID: key.id, wrappedDataKey: first.wrappedDataKey, ciphertext: second.ciphertext)
        for context in [SealingTests.context, other] {
            #expect(throws: KeyEncryptionKeyFailure.doesNotOpen(context)) { try key.open(mixed, context: context) }
        }
    }

    @Test func `two seals of one row cannot be mixed`() throws {
        let key = try SealingTests.key()
        let first = try key.seal(SealingTests.secret, context: SealingTests.context)
        let second = try key.seal(SealingTests.secret, context: SealingTests.context)
        let mixed = SealedKey(
            keyEncryptionKeyID: key.id, wrappedDataKey: first.wrappedDataKey, ciphertext: second.ciphertext)
        #expect(throws: KeyEncryptionKeyFailure.doesNotOpen(SealingTests.context)) {
            try key.open(mixed, context: SealingTests.context)
        }
    }

    @Test func `another key is told apart by its id, and does not open under a forged one`() throws {
        let key = try SealingTests.key()
        let other = try SealingTests.key()
        var sealed = try key.seal(SealingTests.secret, context: SealingTests.context)
        let failure = #expect(throws: KeyEncryptionKeyFailure.self) { try other.open(sealed, context: SealingTests.context) }
        #expect(failure == .anotherKey(sealedWith: key.id, have: other.id))
        sealed.keyEncryptionKeyID = other.id
        #expect(throws: KeyEncryptionKeyFailure.doesNotOpen(SealingTests.context)) {
            try other.open(sealed, context: SealingTests.context)
        }
    }

    @Test func `every flipped bit and every cut is found`() throws {
        let key = try SealingTests.key()
        let sealed = try key.seal(SecretBytes([1, 2, 3, 4, 5]), context: SealingTests.context)
        let refusal = KeyEncryptionKeyFailure.doesNotOpen(SealingTests.context)
        for path in [\SealedKey.wrappedDataKey, \SealedKey.ciphertext] {
            for bit in 0..<sealed[keyPath: path].count * 8 {
                var broken = sealed
                broken[keyPath: path][bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: refusal) { try key.open(broken, context: SealingTests.context) }
            }
            for count in 0..<sealed[keyPath: path].count {
                var broken = sealed
                broken[keyPath: path].removeLast(sealed[keyPath: path].count - count)
                #expect(throws: refusal) { try key.open(broken, context: SealingTests.context) }
            }
            var longer = sealed
            longer[keyPath: path].append(0)
            #expect(throws: refusal) { try key.open(longer, context: SealingTests.context) }
        }
    }

    @Test(arguments: [0, 16, 31, 33, 64])
    func `a key of another length is refused`(count: Int) {
        #expect(throws: KeyEncryptionKeyFailure.length(octets: count)) {
            try KeyEncryptionKey(bytes: SecretBytes.random(count))
        }
    }

    @Test func `the id depends on the key alone and does not show it`() throws {
        let bytes = SecretBytes((0..<32).map { UInt8($0) })
        let key = try KeyEncryptionKey(bytes: bytes)
        #expect(try KeyEncryptionKey(bytes: bytes).id == key.id)
        #expect(key.id.utf8.count == 16)
        #expect(key.id != Hex.encode(0..<8))
        #expect(try SealingTests.key().id != key.id)
    }
}
