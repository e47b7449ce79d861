import AdminWire
import ArgumentParser

/// The next root of a certificate authority whose roots are brought.
struct NewRootOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The next root certificate, PEM, of a CA whose roots are brought.", valueName: "file"),
        completion: .file())
    var cert: String?

    @Option(help: ArgumentHelp("Its private key, PEM, not encrypted.", valueName: "file"), completion: .file())
    var key: String?

    func validate() throws {
        guard (cert == nil) == (key == nil) else {
            throw ValidationError(cert == nil ? "--key needs --cert beside it" : "--cert needs --key beside it")
        }
    }

    /// The failure with the option in the place of the request's field that the server names.
    static func naming(_ failure: CommandFailure) -> CommandFailure {
        for (field, option) in [("cert", "--cert"), ("key", "--key"), ("keyType", "--key-type")]
        where failure.line.hasPrefix(field + ": ") || failure.line.hasPrefix(field + ".") {
            return CommandFailure(exitCode: failure.exitCode, line: option + failure.line.dropFirst(field.count))
        }
        return failure
    }

    /// Reads the two files; nil where none is named.
    func root() throws(CommandFailure) -> NewRootMessage? {
        guard let cert, let key else { return nil }
        return NewRootMessage(
            certificatePEM: try PEMFile.text(at: cert, option: "--cert"),
            key: PrivateKeyText(try PEMFile.text(at: key, option: "--key")))
    }
}
