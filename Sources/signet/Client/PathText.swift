import Foundation

/// Names in the paths and queries of requests.
enum PathText {
    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    /// One segment of a path: everything but unreserved characters encoded, so that no name leads elsewhere.
    static func segment(_ name: String) -> String {
        let encoded = name.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
        return encoded == "." || encoded == ".." ? encoded.replacingOccurrences(of: ".", with: "%2E") : encoded
    }

    static func query(_ value: String) -> String {
        value.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    /// What follows the host in an absolute URL: the next page is fetched from the server that we know, whatever host it names.
    static func pathAndQuery(of url: String) -> String? {
        guard let parts = URLComponents(string: url), parts.percentEncodedPath.hasPrefix("/") else { return nil }
        return parts.percentEncodedPath + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
    }
}
