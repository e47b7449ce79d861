import Foundation
import FuzzTargets
import Testing

/// Every seed of the fuzzers, and every input that ever broke something, once more.
@Suite struct FuzzTargetTests {
    /// An input in a file; its name begins with the verdict that it must get, if one is certain.
    struct Sample: Sendable, CustomTestStringConvertible {
        let target: FuzzTarget
        let file: URL

        var testDescription: String { "\(target.rawValue)/\(file.lastPathComponent)" }

        /// Nil: no verdict is asked for, as of what a fuzzer made.
        var verdict: FuzzTarget.Verdict? {
            file.lastPathComponent.split(separator: "-").first.flatMap { FuzzTarget.Verdict(rawValue: String($0)) }
        }

        static func all(_ folder: String) -> [Sample] {
            let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            let root = tests.deletingLastPathComponent()
            return FuzzTarget.allCases.flatMap { target in
                let place = root.appending(path: "Fuzz/\(folder)/\(target.rawValue)")
                let files = (try? FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)) ?? []
                return files.sorted { $0.path < $1.path }.map { Sample(target: target, file: $0) }
            }
        }
    }

    @Test(arguments: Sample.all("Corpus")) func `a seed gets its verdict and breaks no law`(_ sample: Sample) async throws {
        let verdict = try await sample.target.run(Array(Data(contentsOf: sample.file)))
        #expect(verdict == (try #require(sample.verdict, "its name must begin with 'accepted-' or 'refused-'")))
    }

    @Test(arguments: Sample.all("Found")) func `what once broke a law breaks none`(_ sample: Sample) async throws {
        let verdict = try await sample.target.run(Array(Data(contentsOf: sample.file)))
        if let expected = sample.verdict { #expect(verdict == expected) }
    }

    @Test(arguments: FuzzTarget.allCases) func `every target has seeds of both verdicts`(_ target: FuzzTarget) {
        let verdicts = Set(Sample.all("Corpus").filter { $0.target == target }.compactMap(\.verdict))
        #expect(verdicts == [.accepted, .refused])
    }

    @Test(arguments: FuzzTarget.allCases) func `no input, and octets of every value, are nothing to any target`(
        _ target: FuzzTarget
    ) async throws {
        for bytes in [[], [0], [1], [2], Array(0...255), [UInt8](repeating: 0xFF, count: 1000)] as [[UInt8]] {
            _ = try await target.run(bytes)
        }
    }
}
