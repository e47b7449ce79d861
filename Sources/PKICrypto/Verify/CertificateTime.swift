internal import PKI
import SwiftASN1

/// The two forms of a time in a certificate (RFC 5280 §4.1.2.5), read into a `Timestamp`.
enum CertificateTime {
    static func read(_ nodes: inout ASN1NodeCollection.Iterator) throws -> Timestamp {
        guard let node = nodes.next() else { throw MalformedDER("a validity without its times") }
        switch node.identifier {
        case .utcTime:
            let time = try UTCTime(derEncoded: node)
            return Timestamp(seconds: seconds(time.year, time.month, time.day, time.hours, time.minutes, time.seconds))
        default:
            let time = try GeneralizedTime(derEncoded: node)
            guard time.rawFractionalSeconds.isEmpty else {
                throw MalformedDER("a time with a fraction of a second")
            }
            return Timestamp(seconds: seconds(time.year, time.month, time.day, time.hours, time.minutes, time.seconds))
        }
    }

    /// Seconds since the Unix epoch, by the days-from-civil arithmetic of the proleptic Gregorian calendar.
    private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int) -> Int64 {
        let yearFromMarch = month > 2 ? year : year - 1
        let era = (yearFromMarch >= 0 ? yearFromMarch : yearFromMarch - 399) / 400
        let yearOfEra = yearFromMarch - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = Int64(era * 146_097 + dayOfEra - 719_468)
        return days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }
}
