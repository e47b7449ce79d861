import Foundation

/// One admin API by a name of the user's: where it is, and which files hold the token and the CA for it.
///
/// The files are named, never copied: a token that is renewed in its file is the new one at once, and the file of contexts
/// holds no secret.
struct ServerContext: Hashable, Sendable {
    var name: String
    /// As `--address` takes it.
    var address: String
    /// Absolute.
    var tokenFile: String?
    /// Absolute.
    var caFile: String?

    /// Throws unless everything that the context names is there and of the right kind, without asking a server.
    func check() throws(CommandFailure) {
        try ServerContext.check(name: name)
        let location = try ServerLocation(address: address, tokenFile: tokenFile, caFile: caFile, endpoints: nil)
        _ = try location.trustRoots()
    }

    /// Names are words of the command line and keys of the file.
    static func check(name: String) throws(CommandFailure) {
        let isName =
            (1...63).contains(name.utf8.count) && name.first != "-"
            && name.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                    || [0x2D, 0x2E, 0x5F].contains(byte)
            }
        guard isName else {
            throw .usage(
                "'\(name)' cannot name a context: use 1 to 63 letters, digits, '.', '_' and '-', not beginning with '-'")
        }
    }
}
