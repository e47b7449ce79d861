import Foundation

/// What sslyze says of one server, as far as it is judged here.
struct ScanReport: Decodable {
    /// One kind of scan; without a result it did not come to its end.
    struct Attempt<Result: Decodable>: Decodable {
        let status: String
        let result: Result?
    }

    struct Connectivity: Decodable {
        let clientAuthRequirement: String
    }

    struct Location: Decodable {
        let port: Int
    }

    struct Version: Decodable {
        struct Accepted: Decodable {
            struct Suite: Decodable { let name: String }
            let cipherSuite: Suite
        }

        let isTlsVersionSupported: Bool
        let acceptedCipherSuites: [Accepted]
    }

    struct Scans: Decodable {
        struct Compression: Decodable { let supportsCompression: Bool }
        struct EarlyData: Decodable { let supportsEarlyData: Bool }
        struct ChangeCipherSpec: Decodable { let isVulnerableToCcsInjection: Bool }
        struct Heartbeat: Decodable { let isVulnerableToHeartbleed: Bool }
        struct Oracle: Decodable { let robotResult: String }
        struct Fallback: Decodable { let supportsFallbackScsv: Bool }

        struct Renegotiation: Decodable {
            let supportsSecureRenegotiation: Bool
            let isVulnerableToClientRenegotiationDos: Bool
        }

        struct Resumption: Decodable {
            let sessionIdResumptionResult: String
            let tlsTicketResumptionResult: String
        }

        struct Curves: Decodable {
            struct Curve: Decodable { let name: String }
            let supportedCurves: [Curve]
        }

        struct Certificates: Decodable {
            let certificateDeployments: [Deployment]
        }

        let certificateInfo: Attempt<Certificates>
        let ssl20CipherSuites: Attempt<Version>
        let ssl30CipherSuites: Attempt<Version>
        let tls10CipherSuites: Attempt<Version>
        let tls11CipherSuites: Attempt<Version>
        let tls12CipherSuites: Attempt<Version>
        let tls13CipherSuites: Attempt<Version>
        let tlsCompression: Attempt<Compression>
        let tls13EarlyData: Attempt<EarlyData>
        let opensslCcsInjection: Attempt<ChangeCipherSpec>
        let heartbleed: Attempt<Heartbeat>
        let robot: Attempt<Oracle>
        let tlsFallbackScsv: Attempt<Fallback>
        let sessionRenegotiation: Attempt<Renegotiation>
        let sessionResumption: Attempt<Resumption>
        let ellipticCurves: Attempt<Curves>
    }

    struct Deployment: Decodable {
        struct Certificate: Decodable {
            struct Names: Decodable { let dnsNames: [String] }
            struct Key: Decodable { let ecCurveName: String? }
            let notValidBefore: Date
            let notValidAfter: Date
            let subjectAlternativeName: Names
            let publicKey: Key
        }

        struct Validation: Decodable {
            struct Store: Decodable { let name: String }
            let trustStore: Store
            let wasValidationSuccessful: Bool
        }

        let receivedCertificateChain: [Certificate]
        /// Nil where no path was found.
        let receivedChainContainsAnchorCertificate: Bool?
        let receivedChainHasValidOrder: Bool
        /// Nil where no path was found.
        let verifiedChainHasSha1Signature: Bool?
        let pathValidationResults: [Validation]
    }

    let serverLocation: Location
    let connectivityResult: Connectivity?
    let scanResult: Scans?

    /// The servers of a report, each with what is wrong with it.
    static func all(in json: String) throws -> [ScanReport] {
        struct Whole: Decodable { let serverScanResults: [ScanReport] }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { ScanKey(camelCaseOf: $0[$0.count - 1].stringValue) }
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(Whole.self, from: Data(json.utf8)).serverScanResults
    }

    private struct ScanKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        /// `tls_1_3_early_data` is `tls13EarlyData`.
        init(camelCaseOf text: String) {
            let words = text.split(separator: "_")
            stringValue = words.enumerated().map { $0.offset == 0 ? String($0.element) : $0.element.capitalized }.joined()
        }

        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
