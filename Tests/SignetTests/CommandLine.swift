import Foundation
import TestSupport

/// The built program, run with an environment of its own.
struct SignetLine: Sendable {
    var environment: [String: String?] = [:]

    /// Nothing of the caller's environment that the program reads; no server to be found.
    init(_ environment: [String: String] = [:], dataDirectory: String = "/nonexistent/signet") {
        for name in ProcessInfo.processInfo.environment.keys where name.hasPrefix("SIGNET_") {
            self.environment[name] = .some(nil)
        }
        self.environment["SIGNET_DATA_DIR"] = dataDirectory
        self.environment["SIGNET_CONFIG_DIR"] = "/nonexistent/signet-config"
        self.environment["COLUMNS"] = "200"
        for (name, value) in environment { self.environment[name] = value }
    }

    func run(_ arguments: String..., input: String = "") async throws -> Tool.Result {
        try await run(arguments, input: input)
    }

    func run(_ arguments: [String], input: String = "") async throws -> Tool.Result {
        try await Tool(SignetProcess.executable, install: "swift build --product signet", environment: environment)
            .run(arguments, input: input)
    }
}
