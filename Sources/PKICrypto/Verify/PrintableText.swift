/// Text from a certificate or CSR made fit for a log line: nothing in it can end the line, move the cursor, turn the
/// reading direction or fill the page.
enum PrintableText {
    /// Escapes all but ASCII's printable characters, letters and digits as `\u{…}`, and cuts what is longer than `limit`.
    ///
    /// 128 characters hold every subject and SPIFFE ID that people read; the whole is in the certificate.
    static func of(_ text: String, limit: Int = 128) -> String {
        var printable = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < limit else { return printable + "…" }
            count += 1
            if isHarmless(scalar) {
                printable.unicodeScalars.append(scalar)
            } else {
                printable += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return printable
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20...0x7E).contains(scalar.value) }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }
}
