// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Hand-written code builds without a warning, in the Swift 6 language mode.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "signet",
    platforms: [.macOS(.v15)],  // Linux is the platform; this line only quiets the availability checks of the dependencies.
    products: [.executable(name: "signet", targets: ["signet"])],
    dependencies: [
        // The command line: subcommands, flags, help, completion.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // ASN.1 nodes of certificates and CSRs that swift-certificates leaves unparsed.
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        // Parses certificates and CSRs; the second opinion in the tests.
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        // Configuration from flags, environment and YAML, in this order.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: [.defaults, "YAML"]),
        // Keys for the certificates that the tests of chain verification forge.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        // Structured logs.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Counters, gauges, timers; the exposition is ours.
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        // The event loops under gRPC and HTTP, for the doors.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // The frames, windows and header compression under our own gRPC server.
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        // TLS 1.3 on every door.
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        // Envoy's messages.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        // The stubs of the gRPC services that Envoy calls, for the tests' clients.
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        // gRPC clients for the tests; the server is our own, `GRPCHTTP2`.
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        // Protobuf messages in gRPC calls.
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        // The admin REST server.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        // YAML documents, with lines for the errors.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        // The CLI's HTTP client.
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // Start, graceful stop and supervision of everything long-lived.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Child processes: the private PostgreSQL, and the tools that the tests run.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        // Dataplane and admin tokens.
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPKCS11"),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "EnvoyAPI",
            dependencies: [
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["generate.sh", "proto", "README.md"]),
        .target(name: "PKI", swiftSettings: strict),
        .target(
            name: "CertificateProfiles",
            dependencies: ["PKI", .product(name: "Yams", package: "Yams")],
            path: "pki",
            exclude: ["README.md", "hierarchies.md", "throw-away"],
            sources: ["CertificateProfile+YAML.swift", "ProfileCatalog.swift", "ProfileError.swift", "ProfileFields.swift"],
            resources: [
                .embedInCode("profiles/root.yaml"), .embedInCode("profiles/issuing.yaml"),
                .embedInCode("profiles/leaf.yaml"), .embedInCode("profiles/cross.yaml"),
            ],
            swiftSettings: strict),
        .target(
            name: "PKICrypto",
            dependencies: [
                "COpenSSL", "CPKCS11", "PKI",
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: strict),
        .target(name: "Authority", dependencies: ["PKI"], swiftSettings: strict),
        .target(
            name: "AuthorityService",
            dependencies: [
                "Authority", "CertificateProfiles", "PKI", "PKICrypto",
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .target(
            name: "Postgres",
            dependencies: [
                "Authority", "AuthorityService", "CLibPQ", "PKI",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: strict),
        .target(
            name: "GRPCHTTP2",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "SDS",
            dependencies: [
                "Authority", "AuthorityService", "EnvoyAPI", "GRPCHTTP2", "PKI", "PKICrypto",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),
        .target(
            name: "AdminWire",
            dependencies: ["PKI", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),
        .target(
            name: "AdminAPI",
            dependencies: [
                "AdminWire", "Authority", "AuthorityService", "PKI",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["openapi.yaml"],
            swiftSettings: strict),
        .target(
            name: "Listeners",
            dependencies: [
                "GRPCHTTP2", "PKI", "PKICrypto",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "signet",
            dependencies: [
                "AdminAPI", "AdminWire", "Authority", "AuthorityService", "Listeners", "PKI", "PKICrypto", "Postgres", "SDS",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "issuance-benchmark",
            dependencies: ["BenchmarkSupport"],
            path: "Benchmarks/Issuance",
            swiftSettings: strict),
        .executableTarget(
            name: "ledger-benchmark",
            dependencies: [
                "Authority", "AuthorityService", "BenchmarkSupport", "PKI", "PKICrypto", "Postgres",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            path: "Benchmarks/Ledger",
            swiftSettings: strict),
        .target(
            name: "BenchmarkSupport",
            dependencies: ["CertificateProfiles", "COpenSSL", "PKI", "PKICrypto"],
            path: "Benchmarks/Support",
            swiftSettings: strict),
        .executableTarget(
            name: "signet-load",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Benchmarks/Load",
            swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "AdminWire", "Authority", "AuthorityService", "CertificateProfiles", "EnvoyAPI", "GRPCHTTP2", "PKI", "PKICrypto",
                "SDS",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            path: "Fuzz/Targets",
            swiftSettings: strict),
        .target(
            name: "TestSupport",
            dependencies: [
                "Authority", "AuthorityService", "PKI", "Postgres",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: strict),
        .target(
            name: "TokenSupport",
            dependencies: ["PKI", .product(name: "Subprocess", package: "swift-subprocess")],
            path: "Tests/TokenSupport",
            swiftSettings: strict),
        .testTarget(name: "PKITests", dependencies: ["PKI"], swiftSettings: strict),
        .testTarget(name: "CertificateProfilesTests", dependencies: ["CertificateProfiles", "PKI"], swiftSettings: strict),
        .testTarget(
            name: "PKICryptoTests",
            dependencies: [
                "CPKCS11", "CertificateProfiles", "PKI", "PKICrypto", "TokenSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            exclude: ["Limbo/differences.md"],
            swiftSettings: strict),
        .testTarget(name: "AuthorityTests", dependencies: ["Authority", "PKI"], swiftSettings: strict),
        .testTarget(
            name: "AuthorityServiceTests",
            dependencies: [
                "Authority", "AuthorityService", "PKI", "PKICrypto", "TestSupport", "TokenSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "PostgresTests",
            dependencies: [
                "Authority", "AuthorityService", "PKI", "PKICrypto", "Postgres", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GRPCHTTP2Tests",
            dependencies: [
                "GRPCHTTP2",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SDSTests",
            dependencies: [
                "Authority", "AuthorityService", "EnvoyAPI", "Listeners", "PKI", "PKICrypto", "SDS", "TestSupport",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),
        .testTarget(name: "AdminWireTests", dependencies: ["AdminWire", "PKI"], swiftSettings: strict),
        .testTarget(
            name: "AdminAPITests",
            dependencies: [
                "AdminAPI", "AdminWire", "Authority", "AuthorityService", "PKI", "PKICrypto", "TestSupport",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(name: "FuzzTargetsTests", dependencies: ["FuzzTargets"], swiftSettings: strict),
        .testTarget(
            name: "ListenersTests",
            dependencies: [
                "GRPCHTTP2", "Listeners", "PKI", "TestSupport",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SignetTests",
            dependencies: [
                "AdminWire", "AuthorityService", "Listeners", "PKI", "PKICrypto", "Postgres", "signet", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["Postgres", "signet", "TestSupport", "TokenSupport"],
            exclude: ["key_search.py", "sds_client.py"],
            swiftSettings: strict),
    ]
)

// `SIGNET_FUZZ=1 swift build --sanitize=fuzzer --product signet-fuzz`: libFuzzer brings the program's entry point, so that nothing
// but a build for fuzzing can have it in.
if ProcessInfo.processInfo.environment["SIGNET_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "signet-fuzz", dependencies: ["FuzzTargets"], path: "Fuzz/Driver",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}

// `SIGNET_TESTS=PKITests,SDSTests swift test` builds and runs these test targets alone, with what they stand on: one test
// binary holds all test targets, and building everything to run a single one takes minutes.
if let chosen = ProcessInfo.processInfo.environment["SIGNET_TESTS"]?.split(separator: ",").map(String.init) {
    var needed = Set(chosen)
    var added = needed
    while !added.isEmpty {
        let dependencies = package.targets.filter { added.contains($0.name) }.flatMap(\.dependencies)
        added = Set(
            dependencies.compactMap { dependency in
                switch dependency {
                case .byNameItem(let name, _), .targetItem(let name, _): name
                default: nil
                }
            }
        ).subtracting(needed)
        needed.formUnion(added)
    }
    package.targets.removeAll { !needed.contains($0.name) }
    package.products.removeAll { !needed.contains($0.name) }
}
