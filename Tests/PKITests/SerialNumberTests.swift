import Testing

@testable import PKI

@Suite struct SerialNumberTests {
    @Test(arguments: UInt8.min...UInt8.max)
    func `a serial is positive and keeps its 17 octets whatever the random octets are`(octet: UInt8) {
        let serial = SerialNumber(random: [UInt8](repeating: octet, count: SerialNumber.count))
        #expect(serial.bytes.count == 17)
        #expect((1...127).contains(serial.bytes[0]))
        #expect(serial.bytes.dropFirst().allSatisfy { $0 == octet })
        #expect(DER.integer(serial.bytes) == [0x02, 17] + serial.bytes)
    }

    @Test func `the hexadecimal form is read back`() throws {
        let serial = SerialNumber(random: Array(0..<17))
        #expect(SerialNumber(hex: serial.description) == serial)
        #expect(SerialNumber(hex: "") == nil)
        #expect(SerialNumber(hex: String(repeating: "00", count: 21)) == nil)
        #expect(SerialNumber(hex: "0g") == nil)
    }
}
