import Foundation
import Subprocess

/// A program that is run to its end, with what it printed.
package struct Tool: Sendable {
    /// A name that is looked up in PATH, or an absolute path.
    package let executable: String
    /// How to get the tool when it is missing.
    package let install: String
    package var environment: [String: String?]

    package init(_ executable: String, install: String, environment: [String: String?] = [:]) {
        self.executable = executable
        self.install = install
        self.environment = environment
    }

    package static let openssl = Tool("openssl", install: "apt-get install openssl")

    /// A program of the tests' Python environment.
    package static func python(_ name: String = "python") -> Tool {
        Tool(Repository.path(".venv/bin/\(name)"), install: "make test installs it")
    }

    /// What a run left behind.
    package struct Result: Sendable, CustomStringConvertible {
        /// The exit code; 128 + the signal if a signal ended it.
        package let status: Int32
        package let output: String
        package let errors: String
        package let command: String

        package var description: String { "\(command) → \(status)\n\(output)\(errors)" }
    }

    /// The tool is not there.
    package struct Missing: Error, CustomStringConvertible {
        package let executable: String
        package let install: String

        package var description: String { "\(executable) is missing: \(install)" }
    }

    /// The tool ended with something else than 0.
    package struct Failed: Error, CustomStringConvertible {
        package let result: Result

        package init(result: Result) { self.result = result }

        package var description: String { result.description }
    }

    /// Runs the tool; any exit code is a result. `limit` bounds the time, 4 MiB each stream.
    package func run(_ arguments: [String], input: String = "", within limit: Duration = .seconds(30)) async throws -> Result {
        guard executable.hasPrefix("/") ? access(executable, X_OK) == 0 : isInPath else {
            throw Missing(executable: executable, install: install)
        }
        let command = ([executable] + arguments).joined(separator: " ")
        return try await within(limit, command) { [self] in
            var options = PlatformOptions()
            options.teardownSequence = []
            let overrides = Dictionary(
                uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
            let result = try await Subprocess.run(
                executable.hasPrefix("/") ? .path(.init(executable)) : .name(executable), arguments: Arguments(arguments),
                environment: .inherit.updating(overrides), platformOptions: options,
                input: .fileDescriptor(.init(rawValue: try Self.file(holding: input)), closeAfterSpawningProcess: true),
                output: .string(limit: 4 << 20), error: .string(limit: 4 << 20))
            let status: Int32 =
                switch result.terminationStatus {
                case .exited(let code): code
                case .signaled(let signal): 128 + signal
                }
            return Result(
                status: status, output: result.standardOutput, errors: result.standardError, command: command)
        }
    }

    /// Runs the tool and returns its standard output; throws `Failed` unless it exits with 0.
    @discardableResult package func output(
        _ arguments: [String], input: String = "", within limit: Duration = .seconds(30)
    ) async throws -> String {
        let result = try await run(arguments, input: input, within: limit)
        guard result.status == 0 else { throw Failed(result: result) }
        return result.output
    }

    /// An open file without a name. A program may end without having read its input, and must not fail its caller by that.
    private static func file(holding text: String) throws -> Int32 {
        var name = Array("/tmp/signet-input-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        unlink(&name)
        guard descriptor >= 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                close(descriptor)
                throw POSIXError(.init(rawValue: errno) ?? .EIO)
            }
            rest = rest.dropFirst(count)
        }
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    private var isInPath: Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/\(executable)", X_OK) == 0 }
    }
}
