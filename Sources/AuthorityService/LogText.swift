/// Text from outside, made fit for a log line: control characters escaped, length bounded.
package enum LogText {
    /// Longer text is cut here: enough for a SPIFFE ID of usual length and the sentence around it.
    private static let mostCharacters = 512

    package static func escaped(_ text: some StringProtocol) -> String {
        var escaped = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < mostCharacters else { return escaped + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                escaped += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                escaped.unicodeScalars.append(scalar)
            }
            count += 1
        }
        return escaped
    }
}
