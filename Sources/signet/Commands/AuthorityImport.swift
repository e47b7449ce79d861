import AdminWire
import ArgumentParser

/// `signet ca import NAME --cert F --key F`: a root that was made elsewhere.
struct AuthorityImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Bring a self-signed root and its key as a certificate authority that meshes may share.",
        discussion: """
            Example: signet ca import corp --cert root.pem --key root.key

            The key must not be encrypted in its file; the service seals it before it is stored, and never gives it back. Keep no
            copy of it that is not needed.
            """)

    @Argument(help: "The certificate authority's name: lower-case letters, digits and hyphens.")
    var name: String

    @Option(help: ArgumentHelp("The root certificate, PEM.", valueName: "file"), completion: .file())
    var cert: String

    @Option(help: ArgumentHelp("Its private key, PEM, not encrypted.", valueName: "file"), completion: .file())
    var key: String

    @OptionGroup var rotation: RotationOptions

    @OptionGroup var server: ServerOptions

    func validate() throws { try checkName(name) }

    func run() async throws {
        let certificate = try PEMFile.text(at: cert, option: "--cert")
        let privateKey = try PEMFile.text(at: key, option: "--key")
        func source(_ text: String) -> JSONValue { .object([.init("inlineString", .string(text))]) }
        let members: [JSONValue.Member] = [
            .init("type", .string("CertificateAuthority")), .init("name", .string(name)), .init("cert", source(certificate)),
            .init("key", source(privateKey)),
        ]
        try await AuthorityCreation.send(.object(members + rotation.members), name: name, server, done: "imported")
    }
}
