import AdminWire
import ArgumentParser
import PKI

/// `signet ca create NAME`: a certificate authority that no mesh uses yet.
struct AuthorityCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a certificate authority that meshes may share.",
        discussion: """
            Example: signet ca create corp
            Example: signet ca create corp --key-type EC-P384 --expiration 5y --retire-after reissued
            """)

    @Argument(help: "The certificate authority's name: lower-case letters, digits and hyphens.")
    var name: String

    @Option(
        help: ArgumentHelp(
            "EC-P256, EC-P384, RSA-2048, RSA-3072 or RSA-4096 (default: EC-P256).", valueName: "type"),
        completion: .list(KeyAlgorithm.allCases.map(\.rawValue)))
    var keyType: String?

    @Option(help: ArgumentHelp("How long its root lives, such as 5y (default: 10y).", valueName: "duration"))
    var expiration: String?

    @OptionGroup var rotation: RotationOptions

    @OptionGroup var server: ServerOptions

    func validate() throws {
        try checkName(name)
        try checkDuration(expiration, of: "--expiration")
    }

    func run() async throws {
        var members: [JSONValue.Member] = [.init("type", .string("CertificateAuthority")), .init("name", .string(name))]
        if let keyType { members.append(.init("keyType", .string(keyType))) }
        if let expiration { members.append(.init("expiration", .string(expiration))) }
        members += rotation.members
        try await AuthorityCreation.send(.object(members), name: name, server, done: "created")
    }
}
