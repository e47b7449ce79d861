import ArgumentParser

/// `signet completion bash|zsh|fish`: the script that lets a shell complete the commands.
struct CompletionCommand: ParsableCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, fish, zsh

        fileprivate var generator: CompletionShell {
            switch self {
            case .bash: .bash
            case .fish: .fish
            case .zsh: .zsh
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print the script by which a shell completes commands and options.",
        discussion: """
            Example: signet completion bash > /etc/bash_completion.d/signet
            Example: signet completion zsh > ~/.zfunc/_signet
            Example: signet completion fish > ~/.config/fish/completions/signet.fish

            zsh finds the script where ~/.zfunc is in its fpath.
            """)

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run() throws {
        try Console.out(SignetCommand.completionScript(for: shell.generator))
    }
}
