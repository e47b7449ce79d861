import Foundation

/// A real Envoy with a bootstrap file.
package final class EnvoyProcess: Sendable {
    package let name: String
    package let process: ChildProcess
    /// `ip:port` of Envoy's admin interface.
    package let adminAddress: String

    private init(name: String, process: ChildProcess, adminAddress: String) {
        self.name = name
        self.process = process
        self.adminAddress = adminAddress
    }

    /// Starts an Envoy and waits until it serves: its secrets are there and its listeners accept.
    package static func start(_ name: String, bootstrap: String, in workspace: Workspace) async throws -> EnvoyProcess {
        let envoy = try await launch(name, bootstrap: bootstrap, in: workspace)
        do {
            try await eventually(within: .seconds(30), "readiness of Envoy \(name)") {
                if let end = envoy.process.end {
                    throw ChildProcess.Failure(name: name, detail: "ended with \(end)")
                }
                let answer = try await HTTP.fetch("http://\(envoy.adminAddress)/ready")
                return answer.body.hasPrefix("LIVE")
            }
        } catch {
            throw ChildProcess.Failure(name: "Envoy \(name)", detail: "\(error)\n\(envoy.process.log.suffix(4000))")
        }
        return envoy
    }

    /// Starts an Envoy and waits for its admin interface only.
    package static func launch(_ name: String, bootstrap: String, in workspace: Workspace) async throws -> EnvoyProcess {
        let executable = Repository.path(".venv/bin/envoy")
        guard access(executable, X_OK) == 0 else {
            throw Tool.Missing(executable: executable, install: "make test installs it")
        }
        let file = try workspace.write(bootstrap, to: "\(name).yaml")
        let adminFile = workspace.file("\(name).admin")
        try? FileManager.default.removeItem(atPath: adminFile)
        let process = ChildProcess(
            name: "Envoy \(name)", executable: executable,
            arguments: [
                "-c", file, "--concurrency", "1", "--disable-hot-restart", "--admin-address-path", adminFile,
                "--log-level", "warning",
            ],
            logPath: workspace.file("\(name).log"))
        try await workspace.processes.start(process)
        let address: String = try await eventually(within: .seconds(20), "the admin address of Envoy \(name)") {
            if let end = process.end {
                throw ChildProcess.Failure(name: name, detail: "ended with \(end)\n\(process.log.suffix(4000))")
            }
            let text = try String(contentsOfFile: adminFile, encoding: .utf8)
            return text.contains(":") ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
        }
        return EnvoyProcess(name: name, process: process, adminAddress: address)
    }

    /// Every counter and gauge, by name.
    package func statistics() async throws -> [String: Int] {
        let text = try await HTTP.fetch("http://\(adminAddress)/stats").body
        var values: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, let value = Int(parts[1].trimmingCharacters(in: .whitespaces)) {
                values[String(parts[0])] = value
            }
        }
        return values
    }

    /// The sum of the listeners' statistics that end in `suffix`, such as `ssl.handshake`; the admin listener is left out.
    package func inbound(_ suffix: String) async throws -> Int {
        try await statistics().filter {
            $0.key.hasPrefix("listener.") && !$0.key.hasPrefix("listener.admin.") && $0.key.hasSuffix("." + suffix)
                && !$0.key.contains(".worker_")
        }.values.reduce(0, +)
    }

    /// The sum of the clusters' statistics that end in `suffix`; the cluster of the secrets is left out.
    package func outbound(_ suffix: String, excluding secretsCluster: String) async throws -> Int {
        try await statistics().filter {
            $0.key.hasPrefix("cluster.") && !$0.key.hasPrefix("cluster.\(secretsCluster).") && $0.key.hasSuffix("." + suffix)
        }.values.reduce(0, +)
    }
}
