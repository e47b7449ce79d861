import ArgumentParser
import Foundation

/// `signet config set NAME`.
struct ConfigSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Make a context, or replace the one of that name.",
        discussion: """
            Example: signet config set production --address https://signet.example:5682 --token-file production.token \
            --ca-file corporate.pem

            The files must exist; they are named by their absolute paths and read anew by each command.
            """)

    @Argument(help: "The context's name.")
    var name: String

    @Option(help: ArgumentHelp("The admin API, such as https://signet.example:5682.", valueName: "url"))
    var address: String

    @Option(
        help: ArgumentHelp("The file with the admin token; without it, commands need --token-file.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "The PEM certificate of the CA that signs the server's certificate; without it, the system's.", valueName: "file"),
        completion: .file())
    var caFile: String?

    func run() async throws {
        let context = ServerContext(
            name: name, address: address, tokenFile: tokenFile.map(DataDirectory.absolute),
            caFile: caFile.map(DataDirectory.absolute))
        try context.check()
        var isCurrent = false
        try ContextFile.change(ContextFile.standardPath()) { file throws(CommandFailure) in
            file.set(context)
            isCurrent = file.current == name
        }
        try Console.out(
            "context '\(name)' set" + (isCurrent ? "; it is the chosen one" : ": choose it with 'signet config use \(name)'"))
    }
}
