import Foundation
import Listeners
import NIOSSL

/// Where the admin API is, what to show it, and how to know it.
struct ServerLocation: Sendable {
    /// `https`, a host and a port; no path.
    let base: URL
    /// The admin token. Nil: the file was not named, and the server will say what it thinks of that.
    let token: String?
    /// PEM; nil: the system's own roots.
    let authorityPEM: [UInt8]?
    /// What `signet dev` left, if it is its server.
    let endpoints: Endpoints?

    /// Reads the files that are named.
    init(address: String, tokenFile: String?, caFile: String?, endpoints: Endpoints?) throws(CommandFailure) {
        base = try ServerLocation.url(address)
        token = try tokenFile.map(ServerLocation.token(in:))
        authorityPEM = try caFile.map { path throws(CommandFailure) in
            try ServerLocation.contents(of: path, option: "--ca-file")
        }
        self.endpoints = endpoints
    }

    /// Flags, then the environment, then the chosen context, then the data directory of `signet dev`.
    ///
    /// What a context or the data directory holds goes to its own server alone: with another address named, its token is not
    /// used.
    static func find(
        _ options: ServerOptions, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CommandFailure) -> ServerLocation {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let tokenFile = options.tokenFile ?? variable("SIGNET_TOKEN_FILE")
        let caFile = options.caFile ?? variable("SIGNET_CA_FILE")
        if let address = options.address ?? variable("SIGNET_ADDRESS") {
            return try ServerLocation(address: address, tokenFile: tokenFile, caFile: caFile, endpoints: nil)
        }
        if let context = try ContextFile(path: ContextFile.standardPath(environment)).currentContext {
            do {
                return try ServerLocation(
                    address: context.address, tokenFile: tokenFile ?? context.tokenFile, caFile: caFile ?? context.caFile,
                    endpoints: nil)
            } catch {
                throw CommandFailure(
                    exitCode: error.exitCode,
                    line: "\(error.line), or mend the context '\(context.name)' with 'signet config set'")
            }
        }
        let dataDirectory = DataDirectory.standard(environment)
        guard let endpoints = Endpoints.read(dataDirectory + "/endpoints.json") else {
            throw .usage(
                "no server is known (no 'signet dev' runs in \(dataDirectory)): start 'signet dev', choose a server with "
                    + "'signet config set' and 'signet config use', or set SIGNET_ADDRESS, SIGNET_TOKEN_FILE and SIGNET_CA_FILE")
        }
        return try ServerLocation(
            address: endpoints.admin, tokenFile: tokenFile ?? endpoints.tokenFile, caFile: caFile ?? endpoints.caFile,
            endpoints: endpoints)
    }

    /// Whom the server's certificate must descend from.
    func trustRoots() throws(CommandFailure) -> NIOSSLTrustRoots {
        guard let authorityPEM else { return .default }
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(authorityPEM)
            if !certificates.isEmpty { return .certificates(certificates) }
        } catch {}
        throw .usage("the CA file holds no PEM certificate: name another with --ca-file")
    }

    private static func url(_ text: String) throws(CommandFailure) -> URL {
        let whole = text.contains("://") ? text : "https://" + text
        guard let parts = URLComponents(string: whole), parts.scheme == "https", let host = parts.host, !host.isEmpty,
            parts.user == nil, parts.query == nil, ["", "/"].contains(parts.path),
            let url = URL(string: "https://\(host):\(parts.port ?? 5682)")
        else {
            throw .usage("'\(text)' is not the address of an admin API: write it as https://host:5682")
        }
        return url
    }

    private static func token(in path: String) throws(CommandFailure) -> String {
        // Who gives the token where its file belongs is told so by a line that does not show it again.
        guard !(path.split(separator: "/").last ?? "").hasPrefix("eyJ") || access(path, F_OK) == 0 else {
            throw .usage(
                "--token-file takes the name of a file, not a token: write the token to a file of mode 0600, and name it")
        }
        let text = String(decoding: try contents(of: path, option: "--token-file"), as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .usage("\(path) holds no token: name another file with --token-file")
        }
        return text
    }

    private static func contents(of path: String, option: String) throws(CommandFailure) -> [UInt8] {
        do {
            if let bytes = try DurableFile.read(path) { return bytes }
            throw CommandFailure.usage("there is no file \(path): name an existing one with \(option)")
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .usage("\(error)")
        }
    }
}

extension ServerLocation: CustomStringConvertible {
    /// Never the token.
    var description: String { base.absoluteString }
}
