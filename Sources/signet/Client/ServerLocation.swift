import Foundation
import Listeners

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

    /// Flags, then the environment, then the data directory of `signet dev`.
    ///
    /// What the data directory holds goes to its own server alone: with another address named, its token is not used.
    static func find(
        _ options: ServerOptions, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CommandFailure) -> ServerLocation {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let named = options.address ?? variable("SIGNET_ADDRESS")
        let dataDirectory = DataDirectory.standard(environment)
        let endpoints = named == nil ? Endpoints.read(dataDirectory + "/endpoints.json") : nil
        guard let address = named ?? endpoints?.admin else {
            throw .usage(
                "no server is known (no 'signet dev' runs in \(dataDirectory)): start 'signet dev', "
                    + "or set SIGNET_ADDRESS, SIGNET_TOKEN_FILE and SIGNET_CA_FILE")
        }
        let tokenFile = options.tokenFile ?? variable("SIGNET_TOKEN_FILE") ?? endpoints?.tokenFile
        let authorityFile = options.caFile ?? variable("SIGNET_CA_FILE") ?? endpoints?.caFile
        return ServerLocation(
            base: try url(address), token: try tokenFile.map(token(in:)), authorityPEM: try authorityFile.map(contents(of:)),
            endpoints: endpoints)
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
        let text = String(decoding: try contents(of: path), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .usage("\(path) holds no token: name another file with --token-file")
        }
        return text
    }

    private static func contents(of path: String) throws(CommandFailure) -> [UInt8] {
        do {
            if let bytes = try DurableFile.read(path) { return bytes }
            throw CommandFailure.usage("there is no file \(path): name an existing one with --token-file or --ca-file")
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
