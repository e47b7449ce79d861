import Foundation

/// What `signet dev` says when it is ready.
enum DevBanner {
    static func text(_ endpoints: Endpoints, directory: String, program: String = program()) -> String {
        let signet = quoted(program)
        let unix = endpoints.unix.map { "\n  SDS (unix socket)   \($0)" } ?? ""
        let variable = directory == DataDirectory.standard([:]) ? "" : "\n  export SIGNET_DATA_DIR=\(quoted(directory))"
        return """
            signet \(Signet.version) is ready; everything is kept in \(directory)
              SDS (TLS, token)    \(endpoints.sds)
              SDS (mTLS)          \(endpoints.mtls)\(unix)
              admin REST (TLS)    \(endpoints.admin)
              health, metrics     \(endpoints.health)

            Type next, in another terminal:\(variable)
              \(signet) get meshes
              \(signet) token dataplane --mesh default --name web-1 --tag kuma.io/service=web > web.token
              \(signet) envoy bootstrap --mesh default --service web --token-file web.token --inbound 127.0.0.1:10080=127.0.0.1:8080 > web.yaml

            """
    }

    /// How to call this program: its name where PATH leads to it, else the path by which it was called.
    static func program(
        calledAs name: String = CommandLine.arguments.first ?? "signet",
        path: String = ProcessInfo.processInfo.environment["PATH"] ?? ""
    ) -> String {
        let isInPath = path.split(separator: ":").contains { access("\($0)/signet", X_OK) == 0 }
        return isInPath || !name.contains("/") ? "signet" : DataDirectory.absolute(name)
    }

    /// For a shell: single quotes wherever it is not a plain path.
    private static func quoted(_ path: String) -> String {
        let isPlain = path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-".contains($0)) }
        return isPlain
            ? path : "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
