import Foundation

/// Standard output and standard error.
enum Console {
    /// Prints `text`, with a line feed at its end if it has none. Throws if it cannot: what is lost on the way to a file or a
    /// program was not done.
    static func out(_ text: String) throws(CommandFailure) {
        let fault = write(text.hasSuffix("\n") || text.isEmpty ? text : text + "\n", to: STDOUT_FILENO)
        guard let fault else { return }
        throw .failed("cannot write to standard output (\(String(cString: strerror(fault)))): look where it leads")
    }

    /// Opens what the caller left closed of the standard three, so that no connection gets its number: whatever is then written
    /// to it fails as it did before, and for standard error goes nowhere.
    static func occupyClosedDescriptors() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The lowest free number is this one: those below it are open by now.
            _ = open("/dev/null", mode)
        }
    }

    /// Prints `signet: …` on one line, whatever the text holds.
    static func error(_ text: String) {
        write("signet: \(oneLine(text))\n", to: STDERR_FILENO)
    }

    /// A remark that is no error, on standard error so that it does not mix with what a program reads.
    static func note(_ text: String) {
        write("signet: note: \(oneLine(text))\n", to: STDERR_FILENO)
    }

    /// Line ends become spaces, other control characters and those that turn the direction of writing are dropped: what comes
    /// from outside cannot forge a line.
    static func oneLine(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", "\t", "\u{2028}", "\u{2029}": if result.last != " " { result += " " }
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): break
            case "\u{61C}", "\u{200E}", "\u{200F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result.trimmingCharacters(in: .whitespaces)
    }

    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes all of it; nil, or the number of the error that kept the rest.
    @discardableResult static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return count < 0 ? errno : EIO }
            bytes = bytes.dropFirst(count)
        }
        return nil
    }
}
