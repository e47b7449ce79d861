internal import FoundationEssentials

/// The server programs of one PostgreSQL version.
struct PostgresBinaries: Sendable {
    var directory: String
    var major: Int

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// The programs of version `major`, or of the newest; looks where `pg_config` says, and where Debian installs.
    static func find(major: Int?) async throws(PrivateClusterError) -> PostgresBinaries {
        var found: [PostgresBinaries] = []
        for directory in await directories() {
            let programs = ["initdb", "pg_ctl", "postgres"].map { "\(directory)/\($0)" }
            guard programs.allSatisfy({ FileManager.default.isExecutableFile(atPath: $0) }),
                let version = await version(of: "\(directory)/postgres")
            else { continue }
            found.append(PostgresBinaries(directory: directory, major: version))
        }
        let fitting = found.filter { major == nil || $0.major == major }
        guard let newest = fitting.max(by: { $0.major < $1.major }) else {
            throw .notInstalled(major: found.isEmpty ? nil : major)
        }
        return newest
    }

    private static func directories() async -> [String] {
        var directories: [String] = []
        if let answer = try? await ClusterCommand.run("pg_config", ["--bindir"]), answer.isSuccess {
            directories.append(answer.output.trimmingCharacters)
        }
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        return directories + versions.map { "/usr/lib/postgresql/\($0)/bin" }
    }

    /// "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)".
    private static func version(of program: String) async -> Int? {
        guard let answer = try? await ClusterCommand.run(program, ["--version"]), answer.isSuccess,
            let number = answer.output.split(whereSeparator: \.isWhitespace).first(where: { $0.first?.isNumber == true })
        else { return nil }
        return Int(number.prefix { $0.isNumber })
    }
}

extension String {
    fileprivate var trimmingCharacters: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
