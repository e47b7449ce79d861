import Foundation

/// Standard output and standard error.
enum Console {
    /// Prints `text`, with a line feed at its end if it has none.
    static func out(_ text: String) {
        write(text.hasSuffix("\n") || text.isEmpty ? text : text + "\n", to: STDOUT_FILENO)
    }

    /// Prints `signet: …` on one line, whatever the text holds.
    static func error(_ text: String) {
        write("signet: \(oneLine(text))\n", to: STDERR_FILENO)
    }

    /// A remark that is no error, on standard error so that it does not mix with what a program reads.
    static func note(_ text: String) {
        write("signet: note: \(oneLine(text))\n", to: STDERR_FILENO)
    }

    /// Line ends become spaces, other control characters are dropped: what comes from outside cannot forge a line.
    static func oneLine(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", "\t": if result.last != " " { result += " " }
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result.trimmingCharacters(in: .whitespaces)
    }

    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
