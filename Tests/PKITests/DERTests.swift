import Testing

@testable import PKI

@Suite struct DERTests {
    @Test(
        arguments: [
            (0, [0x04, 0x00]), (127, [0x04, 0x7F]), (128, [0x04, 0x81, 0x80]), (255, [0x04, 0x81, 0xFF]),
            (256, [0x04, 0x82, 0x01, 0x00]), (65_535, [0x04, 0x82, 0xFF, 0xFF]), (65_536, [0x04, 0x83, 0x01, 0x00, 0x00]),
        ] as [(Int, [UInt8])])
    func `a length is written in its shortest form`(count: Int, header: [UInt8]) {
        let encoded = DER.octetString([UInt8](repeating: 0xAB, count: count))
        #expect(Array(encoded.prefix(header.count)) == header)
        #expect(encoded.count == header.count + count)
        #expect(DER.headerCount(for: count) == header.count)
    }

    @Test(
        arguments: [
            (0, [0x02, 0x01, 0x00]), (127, [0x02, 0x01, 0x7F]), (128, [0x02, 0x02, 0x00, 0x80]),
            (256, [0x02, 0x02, 0x01, 0x00]), (65_537, [0x02, 0x03, 0x01, 0x00, 0x01]),
            (UInt32.max, [0x02, 0x05, 0x00, 0xFF, 0xFF, 0xFF, 0xFF]),
        ] as [(UInt32, [UInt8])])
    func `an integer has the fewest octets that keep it positive`(number: UInt32, encoded: [UInt8]) {
        #expect(DER.integer(number) == encoded)
    }

    @Test func `object identifiers are written in base 128`() {
        #expect(Hex.encode(DER.objectIdentifier(1, 2, 840, 10045, 4, 3, 2)) == "06082a8648ce3d040302")
        #expect(Hex.encode(DER.objectIdentifier(1, 2, 840, 113549, 1, 1, 11)) == "06092a864886f70d01010b")
        #expect(Hex.encode(DER.objectIdentifier(2, 5, 29, 17)) == "0603551d11")
        // The example of X.690 §8.19.5.
        #expect(Hex.encode(DER.objectIdentifier(2, 999, 3)) == "0603883703")
    }

    @Test func `named bits lose their trailing zeroes`() {
        #expect(DER.namedBits([0]) == [0x03, 0x02, 0x07, 0x80])
        #expect(DER.namedBits([5, 6]) == [0x03, 0x02, 0x01, 0x06])
        #expect(DER.namedBits([8]) == [0x03, 0x03, 0x07, 0x00, 0x80])
        #expect(DER.namedBits([]) == [0x03, 0x01, 0x00])
    }

    @Test(
        arguments: [
            (-631_152_001, 0x18, "19491231235959Z"), (-631_152_000, 0x17, "500101000000Z"), (0, 0x17, "700101000000Z"),
            (951_782_400, 0x17, "000229000000Z"), (2_524_607_999, 0x17, "491231235959Z"),
            (2_524_608_000, 0x18, "20500101000000Z"), (253_402_300_799, 0x18, "99991231235959Z"),
        ] as [(Int64, UInt8, String)])
    func `times are UTCTime from 1950 through 2049 and GeneralizedTime beyond`(
        seconds: Int64, tag: UInt8, text: String
    ) {
        let expected = [tag, UInt8(text.utf8.count)] + Array(text.utf8)
        #expect(DER.time(Timestamp(seconds: seconds)) == expected)
    }

    @Test func `a time beyond the year 9999 or before the year 1 cannot be stated`() {
        #expect(DER.time(Timestamp(seconds: 253_402_300_800)) == nil)
        #expect(DER.time(Timestamp(seconds: -62_135_596_801)) == nil)
    }

    @Test func `the fraction of a second is cut off towards the past`() {
        #expect(DER.time(Timestamp(milliseconds: 2_524_607_999_999)) == DER.time(Timestamp(seconds: 2_524_607_999)))
    }

    @Test(arguments: ["", "30", "3001", "308100", "30820001aa", "3080", "308400000001aa", "3102aabb"])
    func `the reader refuses what is cut off, indefinite, not minimal or of another tag`(hex: String) throws {
        var reader = DERReader(try #require(Hex.decode(hex))[...])
        let contents = reader.read(tag: 0x30)
        #expect(contents == nil)
    }

    @Test func `the reader gives one element after the other`() {
        var reader = DERReader((DER.integer(5) + DER.octetString([1, 2]))[...])
        let first = reader.read(tag: 0x02)
        #expect(first.map(Array.init) == [5])
        #expect(!reader.isAtEnd)
        let second = reader.read(tag: 0x04)
        #expect(second.map(Array.init) == [1, 2])
        #expect(reader.isAtEnd)
    }
}
