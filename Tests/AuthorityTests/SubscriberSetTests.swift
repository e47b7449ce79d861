import Authority
import Foundation
import PKI
import Testing

@Suite("Sets of subscribers in a replica's row")
struct SubscriberSetTests {
    private func text(_ set: SubscriberSet) throws -> String {
        try JSONDecoder().decode(String.self, from: JSONEncoder().encode(set))
    }

    private func read(_ text: String) throws -> SubscriberSet {
        try JSONDecoder().decode(SubscriberSet.self, from: JSONEncoder().encode(text))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `whatever is written is read again, and equal sets have equal texts`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = (0..<Int.random(in: 0..<300, using: &random)).map { _ in
            SubscriptionKey(
                SubscriberKey(UInt64.random(in: 0..<60, using: &random) &* 0x0123_4567_89ab_cdef),
                resource: UInt32.random(in: 1...4, using: &random),
                at: random.once(in: 2) ? SubscriptionKey.open : UInt32.random(in: 0...3, using: &random))
        }
        let set = SubscriberSet(keys)
        #expect(try read(text(set)) == set)
        #expect(try text(SubscriberSet(keys.shuffled(using: &random))) == text(set))
    }

    @Test func `ten thousand proxies with two names take eight octets each`() throws {
        let keys = (0..<10_000 as Range<UInt64>).flatMap { number in
            [5, 6].map { SubscriptionKey(SubscriberKey(number &* 0x9E37_79B9_7F4A_7C15), resource: $0) }
        }
        let text = try text(SubscriberSet(keys))
        #expect(text.utf8.count < 10_000 * 8 * 4 / 3 + 100)
        #expect(try read(text).subscriptions.count == 20_000)
    }

    @Test func `the digits of the release before are read`() throws {
        let keys = [1, .max, 0x0123_4567_89ab_cdef].map { SubscriptionKey(SubscriberKey($0), resource: .max - 7, at: 9) }
        let digits = keys.map { key in
            Hex.encode(
                withUnsafeBytes(of: key.subscriber.value.bigEndian) { Array($0) }
                    + withUnsafeBytes(of: key.resource.bigEndian) { Array($0) }
                    + withUnsafeBytes(of: key.at.bigEndian) { Array($0) })
        }
        #expect(try read(digits.joined()) == SubscriberSet(keys))
        #expect(try read("") == SubscriberSet())
    }

    @Test func `a text that is no set is refused`() throws {
        let whole = try text(SubscriberSet([SubscriptionKey(SubscriberKey(7), resource: 5)]))
        // Cut off, with something behind it, and one that claims more subscribers than there are octets.
        let many = Data([0, 0, 0, 9, 0, 1, 0, 0, 0, 5, 255, 255, 255, 255]).base64EncodedString()
        for bad in [
            "0123456789abcdef01234567", "zz23456789abcdef0123456789abcdef", String(whole.dropLast(4)), whole + "AAAA",
            ":" + many, ":no base64", "::::",
        ] {
            #expect(throws: DecodingError.self, "\(bad)") { try read(bad) }
        }
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(SubscriberSet.self, from: Data("[]".utf8)) }
    }
}
