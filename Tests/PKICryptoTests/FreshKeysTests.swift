import Foundation
import PKI
import Synchronization
import Testing
import X509

@testable import PKICrypto

@Suite(.timeLimit(.minutes(5))) struct FreshKeysTests {
    @Test(arguments: [0, 1, 2, 63, 64, 65, 128, 200])
    func `as many keys come as are asked for, no two alike`(count: Int) throws {
        let keys = FreshKeys()
        var seen: Set<[UInt8]> = []
        for round in 1...3 {
            let batch = try keys.take(count)
            let found = batch.count
            #expect(found == count)
            for index in 0..<count { seen.insert(batch.subjectPublicKeyInfo(at: index)) }
            #expect(seen.count == round * count)
        }
    }

    /// Keys that were seen, by many tasks at once.
    private final class Seen: Sendable {
        private let keys = Mutex<Set<[UInt8]>>([])

        var count: Int { keys.withLock { $0.count } }

        /// False if it was there already.
        func insert(_ key: [UInt8]) -> Bool { keys.withLock { $0.insert(key).inserted } }
    }

    @Test func `no key is handed out twice, however many tasks take some`() async throws {
        let keys = FreshKeys()
        let seen = Seen()
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var taken = 0
                    for round in 0..<60 {
                        let batch = try keys.take((task * 7 + round) % 9)
                        for index in 0..<batch.count where seen.insert(batch.subjectPublicKeyInfo(at: index)) { taken += 1 }
                    }
                    return taken
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(total == (0..<8).reduce(0) { sum, task in sum + (0..<60).reduce(0) { $0 + (task * 7 + $1) % 9 } })
        #expect(seen.count == total)
        #expect((0...P256Generator.batch).contains(keys.count))
    }

    @Test func `the private key belongs to the public one, and its PEM is what a key made singly gives`() throws {
        let keys = FreshKeys()
        var batch = try keys.take(70)
        for index in 0..<batch.count {
            let info = batch.subjectPublicKeyInfo(at: index)
            let secret = batch.withdrawPrivateKey(at: index)
            let text = secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            let der = try #require(try PEM.decode(text, label: "PRIVATE KEY").first)
            // Refuses a pair whose halves do not belong together, and computes the public half anew.
            let key = try PrivateKey(pkcs8: SecretBytes(der))
            #expect(key.subjectPublicKeyInfo == info)
            #expect(try key.pkcs8PEM().withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == text)
            let publicKey = try Certificate.PublicKey(derEncoded: info)
            let signature = try key.signature(of: [1, 2, 3])
            #expect(publicKey.isValidSignature(signature, for: [1, 2, 3] as [UInt8], signatureAlgorithm: .ecdsaWithSHA256))
        }
    }

    @Test func `openssl accepts the key and finds the same public one`() async throws {
        var batch = try FreshKeys().take(2)
        let scratch = try ScratchDirectory()
        for index in 0..<batch.count {
            let info = batch.subjectPublicKeyInfo(at: index)
            let secret = batch.withdrawPrivateKey(at: index)
            let file = try scratch.write("key\(index).pem", secret.withUnsafeBytes { Array($0) })
            let checked = try await ExternalTool.openssl(["pkey", "-in", file, "-check", "-noout"])
            #expect(checked.isSuccess, "\(checked.text)")
            let answer = try await ExternalTool.openssl(["pkey", "-in", file, "-pubout"])
            #expect(try PEM.decode(answer.text, label: "PUBLIC KEY") == [info])
        }
    }

    @Test func `what is left of a batch waits for the next, and no more than a batch waits`() throws {
        let keys = FreshKeys()
        #expect(keys.count == 0)
        _ = try keys.take(1)
        #expect(keys.count == P256Generator.batch - 1)
        _ = try keys.take(P256Generator.batch)
        #expect(keys.count <= P256Generator.batch)
        _ = try keys.take(0)
        _ = try keys.take(keys.count)
        #expect(keys.count == 0)
    }

    @Test func `keys that have waited too long are wiped`() throws {
        let keys = FreshKeys()
        let before = ContinuousClock.now
        let first = try keys.take(1).subjectPublicKeyInfo(at: 0)
        keys.discard(olderThan: before)
        #expect(keys.count == P256Generator.batch - 1)
        keys.discard(olderThan: .now + .seconds(1))
        #expect(keys.count == 0)
        #expect(try keys.take(1).subjectPublicKeyInfo(at: 0) != first)
    }

    @Test func `a key that was given out is gone from the batch, and from the stock`() throws {
        let keys = FreshKeys()
        var batch = try keys.take(2)
        let scalar = P256Encoding.scalarCount
        let scalars = [batch.pairs(0..<1)[..<scalar], batch.pairs(1..<2)[..<scalar]]
        let before = scalars.map { $0.contains { $0 != 0 } }
        _ = batch.withdrawPrivateKey(at: 0)
        let after = scalars.map { $0.contains { $0 != 0 } }
        #expect(before == [true, true] && after == [false, true])
        // What stays behind where a key lay in the stock.
        let taken = try keys.take(10).count
        let left = keys.stock.withLock { stock in
            stock.batch.pairs(stock.count..<stock.batch.count).contains { $0 != 0 }
        }
        #expect(!left && taken == 10)
    }

    @Test func `a key is given out once`() async {
        await #expect(processExitsWith: .failure) {
            var batch = try FreshKeys().take(1)
            _ = batch.withdrawPrivateKey(at: 0)
            _ = batch.withdrawPrivateKey(at: 0)
        }
    }
}
