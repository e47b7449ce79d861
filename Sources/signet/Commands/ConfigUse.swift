import ArgumentParser

/// `signet config use NAME`.
struct ConfigUse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use", abstract: "Choose the context whose server commands ask.",
        discussion: """
            Example: signet config use production
            Example: signet config use --none
            """)

    @Argument(help: "The context's name.")
    var name: String?

    @Flag(help: "Choose none: commands find 'signet dev' again.")
    var none = false

    func validate() throws {
        guard (name == nil) == none else {
            throw ValidationError(none ? "--none and a name exclude each other" : "the name is missing")
        }
    }

    func run() async throws {
        try ContextFile.change(ContextFile.standardPath()) { file throws(CommandFailure) in try file.use(name) }
        try Console.out(name.map { "context '\($0)' is the chosen one" } ?? "no context is chosen")
    }
}
