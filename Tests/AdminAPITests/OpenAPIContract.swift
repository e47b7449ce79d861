import AdminAPI
import AdminWire
import Hummingbird
import Testing

/// What `openapi.yaml` promises of each operation; every answer of the tests is held against it.
struct OpenAPIContract: Sendable {
    struct Operation: Sendable {
        /// Such as `GET`.
        var method: String
        /// With its parameters in braces.
        var path: String
        var statuses: Set<Int>
        var hasDefault: Bool
    }

    let operations: [Operation]

    /// That of the file itself.
    static let file: OpenAPIContract = {
        do {
            return try OpenAPIContract(OpenAPIDocument.text)
        } catch {
            Issue.record("openapi.yaml cannot be read: \(error)")
            return OpenAPIContract(operations: [])
        }
    }()

    private init(operations: [Operation]) { self.operations = operations }

    init(_ text: String) throws {
        let document = JSONValue(try #require(try DocumentText.parse(Array(text.utf8), format: .yaml).first))
        operations = OpenAPIContract.members(document["paths"]).flatMap { path in
            OpenAPIContract.members(path.value).filter { $0.key != "parameters" }.map { operation in
                let responses = OpenAPIContract.members(operation.value["responses"]).map(\.key)
                return Operation(
                    method: operation.key.uppercased(), path: path.key, statuses: Set(responses.compactMap { Int($0) }),
                    hasDefault: responses.contains("default"))
            }
        }
    }

    /// Records an issue where the status is none that the operation documents.
    ///
    /// Exempt are 405, which is no operation's, and 500, which is a defect and no promise; a HEAD answers as its GET.
    func expect(_ status: Int, of method: HTTPRequest.Method, _ uri: String) {
        let path = uri.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let wanted = method == .head ? "GET" : method.rawValue
        let matching = operations.filter { $0.method == wanted && OpenAPIContract.matches($0.path, path) }
        let literals = { (operation: Operation) in operation.path.split(separator: "/").count { $0.first != "{" } }
        guard uri.hasPrefix("/"), ![405, 500].contains(status),
            let operation = matching.max(by: { literals($0) < literals($1) })
        else { return }
        #expect(operation.statuses.contains(status), "\(operation.method) \(operation.path) does not document \(status)")
    }

    private static func matches(_ pattern: String, _ path: ArraySlice<Substring>) -> Bool {
        let segments = pattern.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        return segments.count == path.count
            && zip(segments, path).allSatisfy { $0 == $1 || $0.first == "{" && !$1.isEmpty }
    }

    private static func members(_ value: JSONValue?) -> [JSONValue.Member] {
        if case .object(let members) = value { members } else { [] }
    }
}
