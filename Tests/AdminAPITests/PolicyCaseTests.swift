import Foundation
import TestSupport
import Testing

/// The decision tables in `policies/cases/`: what the documents in `policies/` mean, row by row.
@Suite struct PolicyCaseTests {
    @Test(arguments: PolicyCase.files)
    func `every row of the table is what the authority says and serves`(file: String) async throws {
        for finding in try await PolicyCaseRun.findings(of: try PolicyCase(named: file)) { Issue.record("\(finding)") }
    }

    @Test func `a wrong row is found, and the finding names the file and the row`() async throws {
        let right = try PolicyCase(named: "gateway-door.yaml")
        var wrong = right
        for index in wrong.rows.indices {
            wrong.rows[index].accept.toggle()
            wrong.rows[index].verify = wrong.rows[index].verify == "none" ? "none" : nil
        }
        let findings = try await PolicyCaseRun.findings(of: wrong)
        for row in right.rows {
            #expect(
                findings.contains { $0.hasPrefix("policies/cases/gateway-door.yaml, row \(row.number) (line \(row.line))") },
                "row \(row.number)")
        }

        wrong = right
        wrong.rows[0].reason = "shared-ca"
        let only = try await PolicyCaseRun.findings(of: wrong)
        #expect(only.count == 1 && only[0].contains("row 1 ") && only[0].contains("'accept, shared-ca'"), "\(only)")
    }

    @Test func `every policy has a table`() throws {
        var named: Set<String> = []
        for file in PolicyCase.files { named.formUnion(try PolicyCase(named: file).policies) }
        let folder = Repository.path("policies")
        var policies: [String] = []
        for part in ["", "bring-your-own/"] {
            policies += try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)")
                .filter { $0.hasSuffix(".yaml") }.map { part + $0 }
        }
        #expect(policies.count >= 11)
        #expect(named == Set(policies))
    }
}
