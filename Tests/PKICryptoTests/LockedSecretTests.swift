import Foundation
import PKICrypto
import Testing

@Suite struct LockedSecretTests {
    @Test func `a long-lived secret is in locked pages that no core dump holds`() throws {
        let bytes = (0..<32).map { UInt8($0) }
        let secret = SecretBytes(bytes).locked()
        #expect(secret.isEqual(to: SecretBytes(bytes)) && secret.count == 32)
        // Asked while it lives: its pages go with it.
        let found = try secret.withUnsafeBytes { try LockedSecretTests.flags(of: UInt(bitPattern: $0.baseAddress)) }
        let flags = try #require(found, "the address is in no mapping")
        #expect(flags.contains("dd"), "not left out of dumps: \(flags)")
        #expect(flags.contains("lo"), "not locked: \(flags)")
        // The others are in neither.
        let other = SecretBytes(bytes)
        let ordinary = try other.withUnsafeBytes { try LockedSecretTests.flags(of: UInt(bitPattern: $0.baseAddress)) }
        #expect(ordinary?.contains("lo") == false)
    }

    /// The kernel's flags (proc(5), VmFlags) of the mapping with an address.
    private static func flags(of address: UInt) throws -> [String]? {
        var isInside = false
        let handle = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/smaps"))
        // Read until its end: its size is given as zero, and each read gives a part.
        var contents = Data()
        while let part = try handle.read(upToCount: 1 << 16), !part.isEmpty { contents += part }
        for line in String(decoding: contents, as: UTF8.self).split(separator: "\n") {
            let range = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            if range.count == 2 { isInside = range[0] <= address && address < range[1] }
            if isInside, line.hasPrefix("VmFlags:") { return line.dropFirst(8).split(separator: " ").map(String.init) }
        }
        return nil
    }
}
