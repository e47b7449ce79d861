import ArgumentParser
import Foundation

/// Runs one command line and tells the exit code: 0 done, 1 the answer is no or the operation failed, 2 wrong usage or
/// configuration, 130 Ctrl-C ended what was watched.
enum Program {
    static func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try SignetCommand.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let failure as CommandFailure {
            Console.error(failure.line)
            return failure.exitCode
        } catch  where SignetCommand.exitCode(for: error) == .success {
            return printed(SignetCommand.fullMessage(for: error))
        } catch {
            let hint = "see 'signet \(hintCommand(arguments))--help'"
            Console.error("\(SignetCommand.message(for: error)): \(hint)")
            return 2
        }
    }

    private static func printed(_ text: String) -> Int32 {
        do {
            try Console.out(text)
            return 0
        } catch {
            Console.error(error.line)
            return error.exitCode
        }
    }

    /// The subcommands that the line began with, so that the hint leads to the right page.
    private static func hintCommand(_ arguments: [String]) -> String {
        var node: any ParsableCommand.Type = SignetCommand.self
        var words = ""
        for argument in arguments {
            guard let next = node.configuration.subcommands.first(where: { $0.configuration.commandName == argument }) else {
                break
            }
            node = next
            words += argument + " "
        }
        return words
    }
}
