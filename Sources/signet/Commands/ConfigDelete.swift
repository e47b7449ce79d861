import ArgumentParser

/// `signet config delete NAME`: the context, not the files that it names.
struct ConfigDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Forget a context; the files that it names stay.",
        discussion: "Example: signet config delete production")

    @Argument(help: "The context's name.")
    var name: String

    func run() async throws {
        var wasCurrent = false
        try ContextFile.change(ContextFile.standardPath()) { file throws(CommandFailure) in
            wasCurrent = file.current == name
            try file.remove(name)
        }
        try Console.out("context '\(name)' deleted" + (wasCurrent ? "; it was the chosen one, and now none is" : ""))
    }
}
