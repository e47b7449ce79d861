import AdminWire
import Testing

/// What a dry run says would change.
@Suite struct JSONDifferencesTests {
    @Test func `each field that differs is named by its path`() throws {
        let before = #"{"name":"m","isolated":true,"mtls":{"enabledBackend":"a","skipValidation":false},"tags":["x"],"n":1}"#
        let after = #"{"name":"m","mtls":{"skipValidation":false,"enabledBackend":"b"},"tags":["x","y"],"n":1,"trustDomain":"t"}"#
        #expect(
            try differences(before, after) == [
                .init(field: "isolated", before: .bool(true), after: .null),
                .init(field: "mtls.enabledBackend", before: .string("a"), after: .string("b")),
                .init(field: "tags", before: .array([.string("x")]), after: .array([.string("x"), .string("y")])),
                .init(field: "trustDomain", before: .null, after: .string("t")),
            ])
    }

    @Test func `lists of named objects are compared by name in any order`() throws {
        let before = #"{"backends":[{"name":"a","mode":"STRICT"},{"name":"b"},{"name":"c","conf":{"x":1}}]}"#
        let after = #"{"backends":[{"name":"c","conf":{"x":2}},{"mode":"PERMISSIVE","name":"a"},{"name":"d"}]}"#
        #expect(
            try differences(before, after) == [
                .init(field: "backends[a].mode", before: .string("STRICT"), after: .string("PERMISSIVE")),
                .init(field: "backends[b]", before: try JSONValue(parsing: #"{"name":"b"}"#), after: .null),
                .init(field: "backends[c].conf.x", before: .number("1"), after: .number("2")),
                .init(field: "backends[d]", before: .null, after: try JSONValue(parsing: #"{"name":"d"}"#)),
            ])
        let turned = #"{"backends":[{"name":"b"},{"name":"c","conf":{"x":1}},{"name":"a","mode":"STRICT"}]}"#
        #expect(try differences(before, turned).isEmpty)
    }

    @Test(arguments: [
        (#"{"l":[{"name":"a"},{"x":1}]}"#, #"{"l":[{"name":"a"},{"x":2}]}"#),
        (#"{"l":[{"name":"a"},{"name":"a","x":1}]}"#, #"{"l":[{"name":"a"},{"name":"a","x":2}]}"#),
        (#"{"l":[{"name":1}]}"#, #"{"l":[{"name":2}]}"#), (#"{"l":[1,2]}"#, #"{"l":[2,1]}"#), (#"{"l":{}}"#, #"{"l":[]}"#),
        (#"{"l":1}"#, #"{"l":1.0}"#),
    ]) func `what has no names of its own is one value`(before: String, after: String) throws {
        #expect(
            try differences(before, after) == [
                .init(
                    field: "l", before: try #require(try JSONValue(parsing: before)["l"]),
                    after: try #require(try JSONValue(parsing: after)["l"]))
            ])
    }

    @Test func `keys that are no words are quoted in the path`() throws {
        #expect(
            try differences(#"{"labels":{"kuma.io/zone":"a","":1}}"#, #"{"labels":{"kuma.io/zone":"b"}}"#).map(\.field) == [
                "labels['kuma.io/zone']", "labels['']",
            ])
    }

    @Test func `a document that was not there, or is not any more, is one difference`() throws {
        let value = try JSONValue(parsing: #"{"a":1}"#)
        #expect(JSONValue.differences(from: nil, to: value) == [.init(field: "", before: .null, after: value)])
        #expect(JSONValue.differences(from: value, to: nil) == [.init(field: "", before: value, after: .null)])
        #expect(JSONValue.differences(from: nil, to: nil).isEmpty)
        #expect(JSONValue.differences(from: value, to: value).isEmpty)
    }

    @Test func `the server's times make no difference where they are ignored`() throws {
        let before = try JSONValue(parsing: #"{"a":1,"creationTime":"x","b":{"creationTime":"x"}}"#)
        let after = try JSONValue(parsing: #"{"a":1,"creationTime":"y","b":{"creationTime":"y"}}"#)
        #expect(JSONValue.differences(from: before, to: after).map(\.field) == ["creationTime", "b.creationTime"])
        #expect(
            JSONValue.differences(from: before, to: after, ignoring: ["creationTime"]).map(\.field) == ["b.creationTime"])
    }

    @Test func `a member that is null is as good as absent`() throws {
        #expect(try differences(#"{"a":null,"b":{"c":null}}"#, #"{"b":{}}"#).isEmpty)
    }

    @Test func `differences applied to what was before give what is after`() throws {
        var random = SplitMix(state: 5)
        for _ in 0..<2000 {
            let before = object(depth: 3, &random)
            let after = Bool.random(using: &random) ? object(depth: 3, &random) : changed(before, &random)
            var result = before
            for difference in JSONValue.differences(from: before, to: after) {
                let current = value(of: result, at: difference.field)
                #expect((current ?? .null) == difference.before, "\(difference.field) of \(before.json) to \(after.json)")
                result = setting(result, difference.field, difference.after)
            }
            #expect(JSONValue.differences(from: result, to: after).isEmpty, "\(before.json) to \(after.json)")
        }
    }

    private func differences(_ before: String, _ after: String) throws -> [JSONDifference] {
        JSONValue.differences(from: try JSONValue(parsing: before), to: try JSONValue(parsing: after))
    }

    private func object(depth: Int, _ random: inout SplitMix) -> JSONValue {
        let keys = ["a", "b", "c", "d"].filter { _ in Bool.random(using: &random) }
        return .object(keys.map { .init($0, value(depth: depth, &random)) })
    }

    private func value(depth: Int, _ random: inout SplitMix) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 5 : 3), using: &random) {
        case 0: .bool(Bool.random(using: &random))
        case 1: .number(String(Int.random(in: 0..<3, using: &random)))
        case 2: .array([.string("x"), .number(String(Int.random(in: 0..<3, using: &random)))])
        default: object(depth: depth - 1, &random)
        }
    }

    private func changed(_ value: JSONValue, _ random: inout SplitMix) -> JSONValue {
        guard case .object(let members) = value, let index = members.indices.randomElement(using: &random) else {
            return .string("changed")
        }
        var after = members
        after[index].value = changed(after[index].value, &random)
        return .object(after.shuffled(using: &random))
    }

    private func value(of value: JSONValue, at path: String) -> JSONValue? {
        path.isEmpty ? value : path.split(separator: ".").reduce(value) { $0?[String($1)] }
    }

    /// Sets what stands at a path of words; `null` takes it away.
    private func setting(_ value: JSONValue, _ path: String, _ new: JSONValue) -> JSONValue {
        guard !path.isEmpty, case .object(var members) = value else { return new }
        let parts = path.split(separator: ".", maxSplits: 1)
        let key = String(parts[0])
        let rest = parts.count > 1 ? String(parts[1]) : ""
        let old = members.first { $0.key == key }?.value
        members.removeAll { $0.key == key }
        let inner = rest.isEmpty ? new : setting(old ?? .object([]), rest, new)
        if inner != .null { members.append(.init(key, inner)) }
        return .object(members)
    }
}
