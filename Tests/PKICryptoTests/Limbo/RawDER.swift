import Foundation
import PKI

/// Tags, lengths and contents as they are asked for, so that what a careless or hostile encoder writes is one call away.
///
/// It shares no code with the package, nor with swift-certificates, which makes the certificates of the other suites.
enum RawDER {
    static func element(_ tag: UInt8, _ parts: [UInt8]...) -> [UInt8] {
        let contents = parts.flatMap { $0 }
        return [tag] + length(contents.count) + contents
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, parts.flatMap { $0 }) }

    /// The shortest form.
    static func length(_ count: Int) -> [UInt8] {
        guard count >= 0x80 else { return [UInt8(count)] }
        var octets: [UInt8] = []
        var rest = count
        while rest > 0 {
            octets.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [0x80 | UInt8(octets.count)] + octets
    }

    /// An INTEGER with these very octets.
    static func integer(_ octets: [UInt8]) -> [UInt8] { element(0x02, octets) }

    /// A small INTEGER that is not negative.
    static func integer(_ number: UInt8) -> [UInt8] { integer(number < 0x80 ? [number] : [0, number]) }

    static func boolean(_ octet: UInt8) -> [UInt8] { element(0x01, [octet]) }

    static func octets(_ contents: [UInt8]) -> [UInt8] { element(0x04, contents) }

    static func bits(_ contents: [UInt8], unused: UInt8 = 0) -> [UInt8] { element(0x03, [unused], contents) }

    /// An OBJECT IDENTIFIER in dotted form.
    static func identifier(_ dotted: String) -> [UInt8] {
        let arcs = dotted.split(separator: ".").compactMap { UInt32($0) }
        var contents: [UInt8] = []
        for arc in [arcs[0] * 40 + arcs[1]] + arcs.dropFirst(2) {
            var groups = [UInt8(arc & 0x7F)]
            var rest = arc >> 7
            while rest > 0 {
                groups.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
                rest >>= 7
            }
            contents += groups
        }
        return element(0x06, contents)
    }

    static func utf8(_ text: String) -> [UInt8] { element(0x0C, Array(text.utf8)) }

    static func printable(_ text: String) -> [UInt8] { element(0x13, Array(text.utf8)) }

    static func utcTime(_ text: String) -> [UInt8] { element(0x17, Array(text.utf8)) }

    static func generalizedTime(_ text: String) -> [UInt8] { element(0x18, Array(text.utf8)) }

    /// UTCTime, or GeneralizedTime from 2050 on.
    static func time(_ time: Timestamp) -> [UInt8] {
        time.seconds < 2_524_608_000 ? utcTime(text(time, "yyMMddHHmmss'Z'")) : generalizedTime(text(time, "yyyyMMddHHmmss'Z'"))
    }

    /// A time in Foundation's pattern, in UTC.
    static func text(_ time: Timestamp, _ pattern: String) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = pattern
        return formatter.string(from: Date(timeIntervalSince1970: TimeInterval(time.seconds)))
    }

    /// A Name of one common name, a UTF8String unless `value` says otherwise.
    static func name(_ commonName: String, value: ((String) -> [UInt8])? = nil) -> [UInt8] {
        let attribute = sequence(identifier("2.5.4.3"), value?(commonName) ?? utf8(commonName))
        return sequence(element(0x31, attribute))
    }
}
