internal import AdminWire
internal import AuthorityService
import Foundation

/// One page of a list as a request asks for it: `size` and `offset`.
struct Paging {
    /// 1 to 1000.
    let size: Int
    /// The list that is asked for: its offsets are of no use in another.
    private let path: String
    private let position: Position?

    /// Where a page begins; the client sees it only as an opaque text.
    private enum Position {
        /// A list in the ledger: before this row.
        case before(Int64)
        /// A list in memory: after the item with this key. It stays right when items come and go.
        case after(String)
    }

    /// Throws where `size` is not 1 to 1000, or `offset` is none that this list gave out.
    init(_ request: AdminRequest) throws(AdminError) {
        path = request.path
        var size = Paging.usualSize
        if let text = request.query["size"] {
            guard let number = Int(text), (1...Paging.largestSize).contains(number) else {
                throw .invalid([.init(field: "size", reason: "must be a number from 1 to \(Paging.largestSize)")])
            }
            size = number
        }
        self.size = size
        guard let text = request.query["offset"] else {
            position = nil
            return
        }
        guard let (list, position) = Paging.decode(text) else {
            throw .invalid([.init(field: "offset", reason: "must be the offset of a 'next' URL, unchanged")])
        }
        guard list == request.path else { throw Paging.foreign }
        self.position = position
    }

    /// The cursor of a list that the ledger pages; throws for the offset of another kind of list.
    func cursor() throws(AdminError) -> PageCursor? {
        switch position {
        case nil: return nil
        case .before(let row): return PageCursor(before: row)
        case .after: throw Paging.foreign
        }
    }

    /// The page of items that are sorted by a unique key, made into messages.
    func page<Item, Message: Codable & Sendable>(
        of items: [Item], key: (Item) -> String, _ request: AdminRequest, _ message: (Item) -> Message
    ) throws(AdminError) -> Listing<Message> {
        let (shown, next) = try slice(items, key: key)
        return Listing(total: Int64(items.count), items: shown.map(message), next: next.map { url(request, offset: $0) })
    }

    /// The page of items that are sorted by a unique key, made into documents.
    func documents<Item>(
        of items: [Item], key: (Item) -> String, _ request: AdminRequest, _ document: (Item) throws -> JSONValue
    ) throws -> JSONValue {
        let (shown, next) = try slice(items, key: key)
        return .object([
            .init("total", .number(String(items.count))), .init("items", .array(try shown.map(document))),
            .init("next", next.map { .string(url(request, offset: $0)) } ?? .null),
        ])
    }

    /// The items of this page, and the offset of the next; `items` must be sorted by their keys.
    func slice<Item>(_ items: [Item], key: (Item) -> String) throws(AdminError) -> (items: [Item], next: String?) {
        var first = items.startIndex
        switch position {
        case nil: break
        case .after(let last): first = items.firstIndex { key($0) > last } ?? items.endIndex
        case .before: throw Paging.foreign
        }
        let shown = Array(items[first...].prefix(size))
        guard let last = shown.last, first + shown.count < items.count else { return (shown, nil) }
        return (shown, encode("k", key(last)))
    }

    /// A page of the ledger, made into messages.
    func listing<Item, Message: Codable & Sendable>(
        _ page: Page<Item>, _ request: AdminRequest, _ message: (Item) -> Message
    ) -> Listing<Message> {
        Listing(
            total: page.total, items: page.items.map(message),
            next: page.next.map { url(request, offset: encode("b", "\($0.before)")) })
    }

    /// The absolute URL of the page that begins at `offset`, with the request's other parameters.
    func url(_ request: AdminRequest, offset: String) -> String {
        var query = request.query
        query["offset"] = offset
        query["size"] = String(size)
        let text = query.sorted { $0.key < $1.key }.map { "\(TargetText.encoded($0.key))=\(TargetText.encoded($0.value))" }
        return request.baseURL + request.path + "?" + text.joined(separator: "&")
    }

    private static let foreign = AdminError.invalid([.init(field: "offset", reason: "belongs to another list")])

    /// A letter for the kind of position, the list's path, a line feed (none can stand in a path), and the place.
    private func encode(_ kind: String, _ place: String) -> String {
        String(
            Data("\(kind)\(path)\n\(place)".utf8).base64EncodedString().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.filter {
                $0 != "="
            })
    }

    private static func decode(_ offset: String) -> (list: String, Position)? {
        // The longest key is a SPIFFE ID (2048 bytes) with a proxy and its node, after a path; a third more in base64.
        guard offset.utf8.count <= 8192 else { return nil }
        var base64 = String(offset.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: base64), let text = String(validating: data, as: UTF8.self) else { return nil }
        let parts = text.dropFirst().split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        switch text.first {
        case "b": return Int64(parts[1]).map { (String(parts[0]), .before($0)) }
        case "k": return (String(parts[0]), .after(String(parts[1])))
        default: return nil
        }
    }

    private static let usualSize = 100
    /// Kuma's own bound: a page of a thousand certificates has about half a megabyte.
    private static let largestSize = 1000
}
