import Foundation

/// What is expected of every door, held against what sslyze saw: each line is one thing that is otherwise.
struct ScanVerdict {
    private(set) var findings: [String] = []

    /// Of a scan that had what it takes to get in; without a client certificate, it saw whether one is wanted.
    init(on report: ScanReport, withClientCertificate: Bool) {
        guard let scans = report.scanResult else {
            findings.append("it was not scanned")
            return
        }
        if !withClientCertificate {
            judgeRequirement(report, "DISABLED")
            judgeSSL2(scans)
        }
        judgeVersions(scans)
        judgeWeaknesses(scans)
        judge(scans.certificateInfo, "certificate") { verdict, info in
            verdict.expect(info.certificateDeployments.count == 1, "it shows \(info.certificateDeployments.count) certificates")
            for deployment in info.certificateDeployments { verdict.judge(deployment) }
        }
    }

    /// Of a scan without the client certificate that it takes to get in: what sslyze sees only then.
    init(onStrangerAt report: ScanReport) {
        guard let scans = report.scanResult else {
            findings.append("it was not scanned")
            return
        }
        judgeRequirement(report, "REQUIRED")
        judgeSSL2(scans)
    }

    /// `wanted`: DISABLED, OPTIONAL or REQUIRED, as sslyze calls it.
    private mutating func judgeRequirement(_ report: ScanReport, _ wanted: String) {
        let requirement = report.connectivityResult?.clientAuthRequirement ?? "unknown"
        expect(requirement == wanted, "a client certificate is \(requirement) and not \(wanted)")
    }

    /// Apart: sslyze cannot offer a client's P-256 key by SSL 2.0.
    private mutating func judgeSSL2(_ scans: ScanReport.Scans) {
        judgeRefused(scans.ssl20CipherSuites, "SSL 2.0")
    }

    private mutating func judgeRefused(_ attempt: ScanReport.Attempt<ScanReport.Version>, _ name: String) {
        judge(attempt, name) { verdict, version in
            let isRefused = !version.isTlsVersionSupported && version.acceptedCipherSuites.isEmpty
            verdict.expect(isRefused, "it speaks \(name)")
        }
    }

    /// TLS 1.3 alone, with its three suites and groups that everyone has.
    private mutating func judgeVersions(_ scans: ScanReport.Scans) {
        judgeRefused(scans.ssl30CipherSuites, "SSL 3.0")
        judgeRefused(scans.tls10CipherSuites, "TLS 1.0")
        judgeRefused(scans.tls11CipherSuites, "TLS 1.1")
        judgeRefused(scans.tls12CipherSuites, "TLS 1.2")
        judge(scans.tls13CipherSuites, "TLS 1.3") { verdict, version in
            let suites = Set(version.acceptedCipherSuites.map(\.cipherSuite.name))
            verdict.expect(
                suites == ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
                "its suites of TLS 1.3 are \(suites.sorted())")
        }
        judge(scans.ellipticCurves, "groups") { verdict, curves in
            let names = Set(curves.supportedCurves.map(\.name))
            verdict.expect(names.contains("X25519") && names.contains("secp256r1"), "it lacks a group of \(names.sorted())")
            verdict.expect(
                names.isSubset(of: ["X25519", "secp256r1", "secp384r1", "X25519MLKEM768"]),
                "it has groups beyond: \(names.sorted())")
        }
    }

    private mutating func judgeWeaknesses(_ scans: ScanReport.Scans) {
        judge(scans.tlsCompression, "compression") { $0.expect(!$1.supportsCompression, "it compresses") }
        judge(scans.tls13EarlyData, "early data") {
            $0.expect(!$1.supportsEarlyData, "it takes early data, which can be replayed")
        }
        judge(scans.opensslCcsInjection, "CCS injection") { $0.expect(!$1.isVulnerableToCcsInjection, "CCS injection") }
        judge(scans.heartbleed, "Heartbleed") { $0.expect(!$1.isVulnerableToHeartbleed, "Heartbleed") }
        judge(scans.robot, "ROBOT") {
            $0.expect($1.robotResult == "NOT_VULNERABLE_RSA_NOT_SUPPORTED", "ROBOT: \($1.robotResult)")
        }
        judge(scans.tlsFallbackScsv, "fallback") { $0.expect($1.supportsFallbackScsv, "a downgrade goes unnoticed") }
        judge(scans.sessionRenegotiation, "renegotiation") {
            $0.expect($1.supportsSecureRenegotiation, "renegotiation is not secure")
            $0.expect(!$1.isVulnerableToClientRenegotiationDos, "a client may renegotiate without end")
        }
        judge(scans.sessionResumption, "resumption") {
            $0.expect($1.sessionIdResumptionResult == "SERVER_IS_TLS_1_3_ONLY", "it resumes by session id")
            $0.expect($1.tlsTicketResumptionResult == "SERVER_IS_TLS_1_3_ONLY", "it resumes by a ticket of TLS 1.2")
        }
    }

    private mutating func judge(_ deployment: ScanReport.Deployment) {
        expect(deployment.receivedChainContainsAnchorCertificate != true, "it sends the root along")
        expect(deployment.receivedChainHasValidOrder, "its chain is out of order")
        expect(deployment.verifiedChainHasSha1Signature == false, "its chain has a signature with SHA-1, or is not verified")
        let ours = deployment.pathValidationResults.filter { $0.trustStore.name == "Supplied CA file" }
        expect(ours.map(\.wasValidationSuccessful) == [true], "its chain does not lead to the service's root")
        expect(
            deployment.pathValidationResults.count { $0.wasValidationSuccessful } == 1, "a public authority vouches for it too")
        guard let leaf = deployment.receivedCertificateChain.first else {
            findings.append("it sends no certificate")
            return
        }
        expect(leaf.subjectAlternativeName.dnsNames.contains("localhost"), "its certificate is of another name")
        expect(leaf.publicKey.ecCurveName == "secp256r1", "its key is not P-256")
        let days = leaf.notValidAfter.timeIntervalSince(leaf.notValidBefore) / 86_400
        expect(days <= 31, "its certificate lives \(Int(days)) days")
    }

    /// A scan that did not come to its end is a finding.
    private mutating func judge<Result>(
        _ attempt: ScanReport.Attempt<Result>, _ name: String, _ body: (inout ScanVerdict, Result) -> Void
    ) {
        guard attempt.status == "COMPLETED", let result = attempt.result else {
            findings.append("the scan for \(name) ended as \(attempt.status)")
            return
        }
        body(&self, result)
    }

    private mutating func expect(_ holds: Bool, _ finding: @autoclosure () -> String) {
        if !holds { findings.append(finding()) }
    }
}
