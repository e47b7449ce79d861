import ArgumentParser

/// `signet check-config`: parses everything, opens nothing.
struct CheckConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Check the configuration of 'signet serve' and open nothing.",
        discussion: "Example: signet check-config --config /etc/signet/signet.yaml")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        do {
            _ = try Starting.configuration(options).checkedForServe()
        } catch let problem as ConfigurationProblem {
            throw CommandFailure.usage(problem.description)
        }
        try Console.out("the configuration is good")
    }
}
