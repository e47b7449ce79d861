import Foundation
import Testing

@testable import PKI

@Suite struct PEMTests {
    @Test func `base64 agrees with the standard library's for every length and octet`() {
        for count in 0...400 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count) }
            let characters = [UInt8](unsafeUninitializedCapacity: Base64.encodedCount(of: count)) { buffer, written in
                written = bytes.withUnsafeBytes { Base64.encode($0, into: UnsafeMutableRawBufferPointer(buffer)) }
            }
            #expect(characters == Array(Data(bytes).base64EncodedString().utf8))
            #expect(Base64.decode(characters) == bytes)
        }
    }

    @Test func `every character comes out at every place of a line`() {
        for value in 0..<64 {
            for place in 0..<64 {
                // One sextet of a line, all others zero.
                var bytes = [UInt8](repeating: 0, count: 48)
                for bit in 0..<6 where value >> (5 - bit) & 1 == 1 {
                    let index = place * 6 + bit
                    bytes[index / 8] |= 0x80 >> UInt8(index % 8)
                }
                let characters = [UInt8](unsafeUninitializedCapacity: 64) { buffer, written in
                    written = bytes.withUnsafeBytes { Base64.encode($0, into: UnsafeMutableRawBufferPointer(buffer)) }
                }
                #expect(characters == Array(Data(bytes).base64EncodedString().utf8))
            }
        }
    }

    @Test(arguments: ["A", "AA", "AAA", "A===", "AA=A", "AAAA=", "AA==AAAA", "AB==", "AAB=", "A*AA", "AAA\n", "-_AA"])
    func `base64 that is not canonical is refused`(text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }

    @Test(arguments: [0, 1, 47, 48, 49, 95, 96, 97, 720])
    func `a block has lines of 64 characters and is read back`(count: Int) throws {
        let der = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let text = PEM.encode(label: "CERTIFICATE", der: der)
        #expect(PEM.encodeBytes(label: "CERTIFICATE", der: der) == Array(text.utf8))
        #expect(text.utf8.count == PEM.encodedCount(label: "CERTIFICATE", of: count))
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first == "-----BEGIN CERTIFICATE-----")
        #expect(lines.suffix(2) == ["-----END CERTIFICATE-----", ""])
        let body = lines.dropFirst().dropLast(2)
        #expect(body.dropLast().allSatisfy { $0.utf8.count == 64 })
        #expect(body.last.map { (1...64).contains($0.utf8.count) } ?? (count == 0))
        #expect(try PEM.decode(text, label: "CERTIFICATE") == [der])
    }

    @Test func `blocks of other labels and text between blocks are passed over`() throws {
        let text =
            "subject=leaf\r\n" + PEM.encode(label: "CERTIFICATE", der: [1]) + PEM.encode(label: "PRIVATE KEY", der: [2])
            + "\n" + PEM.encode(label: "CERTIFICATE", der: [3]).replacingOccurrences(of: "\n", with: "\r\n")
        #expect(try PEM.decode(text, label: "CERTIFICATE") == [[1], [3]])
        #expect(try PEM.decode(text, label: "PRIVATE KEY") == [[2]])
    }

    @Test func `a text without a whole block says what it lacks`() {
        #expect(throws: PEMError.noBlock(label: "CERTIFICATE")) { try PEM.decode("", label: "CERTIFICATE") }
        #expect(throws: PEMError.unterminated(label: "CERTIFICATE")) {
            try PEM.decode("-----BEGIN CERTIFICATE-----\nAAAA\n", label: "CERTIFICATE")
        }
        #expect(throws: PEMError.unterminated(label: "CERTIFICATE")) {
            try PEM.decode("-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----\n", label: "CERTIFICATE")
        }
        #expect(throws: PEMError.notBase64(label: "CERTIFICATE")) {
            try PEM.decode("-----BEGIN CERTIFICATE-----\nAA!A\n-----END CERTIFICATE-----\n", label: "CERTIFICATE")
        }
    }
}
