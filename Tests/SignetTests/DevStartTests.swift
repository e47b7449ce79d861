import Foundation
import TestSupport
import Testing

@testable import signet

@Suite struct DevStartTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func `A stop during the first start leaves no database running and a directory that starts again`(signal: Int32) async throws
    {
        try await Workspace.open("stop") { workspace in
            let signet = try SignetProcess(in: workspace)
            let process = try await signet.launch()
            // The database's folder is made first of all; everything that takes long comes after it.
            try await eventually(within: .seconds(30), "the beginning of the start") {
                FileManager.default.fileExists(atPath: signet.dataDirectory + "/postgres")
            }
            #expect(!FileManager.default.fileExists(atPath: signet.dataDirectory + "/endpoints.json"))
            process.send(signal)
            #expect(try await process.waitForEnd(within: .seconds(90)) == .exited(0), "\(signet.log)")
            let left = FileManager.default.enumerator(atPath: signet.dataDirectory)?.compactMap { $0 as? String } ?? []
            #expect(!left.contains { $0.hasSuffix("postmaster.pid") }, "\(left.filter { $0.contains("postmaster") })")
            try await signet.start()
            #expect(try await signet.terminate() == .exited(0), "\(signet.log)")
        }
    }

    @Test func `The advice names the program by its path unless PATH leads to it`() async throws {
        try await Workspace.open("banner") { workspace in
            #expect(DevBanner.program(calledAs: "/opt/s/signet", path: workspace.path) == "/opt/s/signet")
            #expect(DevBanner.program(calledAs: "bin/signet", path: "").hasSuffix("/bin/signet"))
            let program = try workspace.write("#!/bin/sh\n", to: "signet")
            chmod(program, 0o755)
            #expect(DevBanner.program(calledAs: "/opt/s/signet", path: "/nonexistent:\(workspace.path)") == "signet")
        }
    }
}
