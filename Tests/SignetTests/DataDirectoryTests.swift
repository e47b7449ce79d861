import Foundation
import TestSupport
import Testing

@testable import signet

@Suite struct DataDirectoryTests {
    @Test func `The place follows SIGNET_DATA_DIR, then XDG, then the home`() {
        #expect(DataDirectory.standard(["SIGNET_DATA_DIR": "/a/b", "XDG_DATA_HOME": "/x"]) == "/a/b")
        #expect(DataDirectory.standard(["XDG_DATA_HOME": "/x", "HOME": "/home/me"]) == "/x/signet")
        let home = geteuid() == 0 ? "/var/lib/signet" : "/home/me/.local/share/signet"
        #expect(DataDirectory.standard(["HOME": "/home/me"]) == home)
    }

    @Test func `A directory belongs to one process at a time and is found again`() async throws {
        try await Workspace.open("data") { workspace in
            let path = workspace.file("deep/data")
            var first: DataDirectory? = try DataDirectory.open(path)
            #expect(
                throws: CommandFailure.failed(
                    "the data directory \(path) is in use by another process, which holds \(path)/lock: stop that process first")
            ) { _ = try DataDirectory.open(path) }
            #expect(first?.path == path)
            first = nil
            _ = try DataDirectory.open(path)
        }
    }

    @Test func `Of many first starts on one new directory one gets it, and the others hear that it is in use`() async throws {
        try await Workspace.open("data") { workspace in
            for round in 0..<20 {
                let path = workspace.file("new-\(round)")
                let outcomes = await withTaskGroup(of: Result<DataDirectory, CommandFailure>.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            Result { () throws(CommandFailure) in
                                let directory = try DataDirectory.open(path)
                                _ = FileManager.default.createFile(atPath: directory.keyEncryptionKey, contents: Data())
                                return directory
                            }
                        }
                    }
                    return await group.reduce(into: [Result<DataDirectory, CommandFailure>]()) { $0.append($1) }
                }
                var winners = 0
                for outcome in outcomes {
                    switch outcome {
                    case .success: winners += 1
                    case .failure(let failure): #expect(failure.line.contains("is in use by another process"), "\(failure)")
                    }
                }
                #expect(winners == 1)
            }
        }
    }

    @Test func `A newer directory, one of another program, and an unwritable place are refused by name`() async throws {
        try await Workspace.open("data") { workspace in
            let newer = workspace.file("newer")
            try FileManager.default.createDirectory(atPath: newer, withIntermediateDirectories: false)
            try workspace.write("2\n", to: "newer/version")
            #expect(
                throws: CommandFailure.failed(
                    "the data directory \(newer) has format 2 and this signet knows 1: run the newer signet that made it, or choose another directory with --data-dir"
                )
            ) { _ = try DataDirectory.open(newer) }
            let foreign = workspace.file("foreign")
            try FileManager.default.createDirectory(atPath: foreign, withIntermediateDirectories: false)
            try workspace.write("x", to: "foreign/photo.jpg")
            #expect(
                throws: CommandFailure.failed(
                    "\(foreign) has files in it and is no data directory of signet: choose another with --data-dir")
            ) { _ = try DataDirectory.open(foreign) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: foreign) == ["photo.jpg"])
            #expect(throws: CommandFailure.self) { _ = try DataDirectory.open("/proc/signet") }
        }
    }
}
