import Foundation
import Subprocess
import Testing

/// Runs programs that are not ours, whose verdict the tests want.
enum ExternalTool {
    struct Answer {
        var isSuccess: Bool
        /// Standard output, then standard error.
        var text: String
    }

    /// The package's root, where `make test` puts the Python environment.
    static let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func openssl(_ arguments: [String]) async throws -> Answer {
        try await run(.name("openssl"), arguments, remedy: "apt-get install openssl")
    }

    /// The linter of the PKIX working group's rules, from PyPI.
    static func pkilint(_ arguments: [String]) async throws -> Answer {
        let path = packageRoot.appending(path: ".venv/bin/lint_pkix_cert").path
        return try await run(.path(.init(path)), arguments, remedy: "run 'make test', which installs pkilint into .venv")
    }

    /// The script that makes throw-away roots, with openssl.
    static func makeRoots(_ arguments: [String]) async throws -> Answer {
        let path = packageRoot.appending(path: "pki/throw-away/make.sh").path
        return try await run(.path(.init(path)), arguments, remedy: "apt-get install bash openssl")
    }

    /// A command line as a page tells people to type it, run in a directory.
    static func typed(_ command: String, in directory: URL) async throws -> Answer {
        try await run(.name("bash"), ["-c", "cd '\(directory.path)' && \(command)"], remedy: "apt-get install bash openssl")
    }

    private static func run(_ executable: Executable, _ arguments: [String], remedy: String) async throws -> Answer {
        do {
            // 1 MiB is far more than any of these tools says.
            let result = try await Subprocess.run(
                executable, arguments: Arguments(arguments), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
            let text = result.standardOutput + result.standardError
            return Answer(isSuccess: result.terminationStatus.isSuccess, text: text)
        } catch {
            Issue.record("cannot run \(executable): \(error): \(remedy)")
            throw error
        }
    }
}

/// A directory of one test's own, removed with it.
final class ScratchDirectory {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "signet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }

    /// Writes a file and gives its path.
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: url.appending(path: name))
        return path(name)
    }

    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }
}
