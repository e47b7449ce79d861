import TestSupport
import Testing

@testable import signet

@Suite struct CompletionTests {
    private static let bash = Tool("bash", install: "apt-get install bash")

    /// What bash proposes after these words, the last of which is being typed.
    private func proposals(_ words: [String], _ workspace: Workspace) async throws -> Set<String> {
        let script = try await SignetLine().run("completion", "bash")
        #expect(script.status == 0 && script.errors.isEmpty, "\(script)")
        let file = try workspace.write(script.output, to: "signet.bash")
        let typed = words.joined(separator: " ")
        let text = try await Self.bash.output([
            "--norc", "-c",
            """
            set -e
            source "$1"
            COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " ")))
            COMP_CWORD=\(words.count - 1)
            COMP_LINE='\(typed)'
            COMP_POINT=\(typed.utf8.count)
            set +e
            "$(complete -p signet | sed 's/.*-F \\([^ ]*\\).*/\\1/')" signet '\(words.last ?? "")' '\(words.dropLast().last ?? "")'
            printf '%s\\n' "${COMPREPLY[@]}"
            """, "bash", file,
        ])
        return Set(text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
    }

    @Test func `bash completes commands, subcommands, options and their values by the script`() async throws {
        try await Workspace.open("completion") { workspace in
            #expect(try await proposals(["signet", "co"], workspace).isSuperset(of: ["completion", "config"]))
            let subcommands = try await proposals(["signet", "ca", ""], workspace)
            #expect(
                subcommands.isSuperset(of: ["create", "share", "unshare", "import", "export", "rotate", "revoke"]),
                "\(subcommands)")
            let options = try await proposals(["signet", "ca", "share", "--d"], workspace)
            #expect(options.contains("--dry-run"), "\(options)")
            let types = try await proposals(["signet", "ca", "create", "--key-type", "RSA"], workspace)
            let orders = try await proposals(["signet", "rotation", ""], workspace)
            #expect(orders.isSuperset(of: ["status", "watch", "advance", "pause", "resume", "abort"]), "\(orders)")
            #expect(types == ["RSA-2048", "RSA-3072", "RSA-4096"], "\(types)")
        }
    }

    @Test(arguments: [("zsh", "#compdef signet"), ("fish", "complete -c 'signet'")])
    func `The scripts of the other shells know every command`(shell: String, opening: String) async throws {
        let script = try await SignetLine().run("completion", shell)
        #expect(script.status == 0 && script.output.contains(opening), "\(script)")
        for command in SignetCommand.configuration.subcommands {
            let name = command.configuration.commandName ?? ""
            #expect(script.output.contains(name), "\(name)")
        }
    }
}
