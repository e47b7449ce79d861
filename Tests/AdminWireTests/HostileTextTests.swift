import AdminWire
import Testing

/// Texts that are made to crash, hang or bloat whoever parses them.
@Suite struct HostileTextTests {
    @Test func `a document of 10 MiB is refused by its size`() {
        let text = "type: Mesh\nname: m\nlabels: {a: '" + String(repeating: "x", count: 10 << 20) + "'}\n"
        let error = #expect(throws: DocumentError.self) { try meshes(text) }
        #expect(error?.description == "the text has \(text.utf8.count) bytes, more than the 1048576 accepted: split it")
    }

    @Test(arguments: [
        ("a\u{202E}b", #"a\u{202e}b"#), ("\u{2066}x\u{2069}", #"\u{2066}x\u{2069}"#),
        ("a\u{2028}b\u{2029}", #"a\u{2028}b\u{2029}"#),
        ("a\u{200F}\u{61C}", #"a\u{200f}\u{61c}"#), ("a\u{200B}\u{2060}", #"a\u{200b}\u{2060}"#),
        ("a\n\u{7F}\u{9B}", #"a\u{a}\u{7f}\u{9b}"#),
        ("naïve 日本 🦊", "naïve 日本 🦊"),
    ]) func `what turns or breaks a line is shown by its number in an excerpt`(text: String, shown: String) {
        #expect(DocumentNode.excerpt(of: text) == shown)
        let document = #"{"type":"Mesh","name":"m",\#(JSONValue.string(text).json):1}"#
        let error = #expect(throws: DocumentError.self) { try documents(document, .json) }
        #expect(error?.description.contains("\(shown): is not a known field") == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [DocumentText.Format.json, .yaml], ["name", "labels"])
    func `a byte order mark within a text is refused, since other readers drop it`(format: DocumentText.Format, key: String) {
        for mark in ["\u{FEFF}\u{FEFF}x", "x\u{FEFF}y"] {
            let text = #"{"type": "Mesh", "\#(key)": "\#(mark)"}"#
            let error = #expect(throws: DocumentError.self) { try documents(text, format) }
            #expect(error?.description.contains("U+FEFF") == true, "\(error?.description ?? "")")
        }
    }

    @Test(arguments: [80, 990, 1000, 1021, 1024, 1025, 5000]) func `a key of any length is read again from YAML of our own`(
        length: Int
    ) throws {
        let key = String(repeating: "k", count: length)
        for value: JSONValue in [.string("x"), .array([.string("x")]), .object([.init(key + " ", .array([.null]))]), .object([])]
        {
            let whole = JSONValue.array([.object([.init(key, value), .init("é" + key, value)])])
            let nodes = try DocumentText.parse(Array(JSONValue.object([.init("all", whole)]).yaml.utf8), format: .yaml)
            #expect(nodes.map { JSONValue($0) } == [.object([.init("all", whole)])])
        }
    }

    @Test func `an alias bomb is refused before the parser unfolds it`() {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...60 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        expectAnchorRefusal(text, line: 1)
    }

    @Test(arguments: [
        "&a x", "- &a x", "k: &a x", "k: [&a x]", "{k: 1, l: &a x}", "k:\n  &a x", "k:\t&a x", "? &a x\n: y", "\"k\":&a x",
        "k: b\n  \"c\nd: &a x\n#\"", "k: 'it''s'\nl: &a x", "\u{FEFF}&a x", "k: v # &a", "k: |\n  text\nl: &a-b x", "- - &a_1 x",
        "[\"a\",&a x]",
        "k: \u{2028}&a x", "k: \u{85}&a x", "!!str &a x", "k: -\n  &a x",
    ]) func `an anchor is found wherever it may stand`(text: String) {
        let error = #expect(throws: DocumentError.self) { try DocumentText.parse(Array(text.utf8), format: .yaml) }
        #expect(error?.description.contains("anchors") == true)
    }

    @Test(arguments: ["a: x & y", "a: 'R&D'", "u: \"http://h/p?a=1&b=2\"", "a: b&c", "a: \"\\x26name\""])
    func `an ampersand that begins no anchor is text`(text: String) throws {
        #expect(try DocumentText.parse(Array(text.utf8), format: .yaml).count == 1)
    }

    @Test(arguments: ["Mesh", "CertificateAuthority", "CrossMeshAccess", "MeshService"])
    func `no type of document takes aliases, cycles, doubled keys or deep nesting`(type: String) {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        let bad = [
            ("spec: &s {a: b}\nlabels: *s\n", "line 3: YAML anchors"), ("meshes: &m [*m]\n", "line 3: YAML anchors"),
            ("<<: {a: b}\n", "line 3: merge keys"), ("name: other\n", "line 2: the key 'name' occurs twice"),
            ("spec: {a: 1,\n a: 2}\n", "line 3: the key 'a' occurs twice"),
            ("labels: \(deep)\n", "line 3: nested deeper than 32"),
            ("labels: !!map {}\n", "line 3: YAML tags"),
        ]
        for (line, message) in bad {
            let error = #expect(throws: DocumentError.self) { try documents("type: \(type)\nname: x\n\(line)") }
            #expect(error?.description.hasPrefix(message) == true, "\(line): \(error?.description ?? "")")
        }
        let json = #"{"type":"\#(type)","name":"x","labels":\#(deep)}"#
        let error = #expect(throws: DocumentError.self) { try documents(json, .json) }
        #expect(error?.description == "line 1: nested deeper than 32 levels")
    }

    @Test(arguments: ["a: *b", "- *b"]) func `an alias without its anchor is refused`(text: String) {
        #expect(throws: DocumentError.self) { try DocumentText.parse(Array(text.utf8), format: .yaml) }
    }

    @Test(arguments: ["a: !!str b", "a: ! b", "a: !foo [b]", "a: !foo {b: c}", "!foo a: b"]) func `a tag is refused`(text: String)
    {
        let error = #expect(throws: DocumentError.self) { try DocumentText.parse(Array(text.utf8), format: .yaml) }
        #expect(error?.description == "line 1: YAML tags ('!name') are not accepted: leave the tag out")
    }

    @Test(arguments: ["1: a\n\"1\": b\n", "a: 1\n'a': 2\n", "true: 1\n\"true\": 2\n", "~: 1\n\"~\": 2\n"])
    func `two spellings of one key are one key`(text: String) {
        let error = #expect(throws: DocumentError.self) { try DocumentText.parse(Array(text.utf8), format: .yaml) }
        #expect(error?.description.contains("occurs twice in this mapping") == true)
    }

    struct Flood: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var text: String

        init(_ name: String, _ start: String, _ count: Int, _ end: String = "", _ part: (Int) -> String) {
            testDescription = name
            text = start + (0..<count).map(part).joined() + end
        }
    }

    static let floods: [Flood] = [
        Flood("unknown fields", "type: Mesh\nname: m\n", 60_000) { "k\($0): v\n" },
        Flood("misspelt fields", "type: Mesh\nname: m\n", 40_000) { "mtls\($0)\(String(repeating: "x", count: 14)): v\n" },
        Flood("backends", "type: Mesh\nname: m\nmtls:\n  backends:\n", 30_000) { "  - {name: b\($0), type: builtin}\n" },
        Flood("kept numbers", "type: Mesh\nname: m\nnetworking: [", 500_000, "]\n") { _ in "1," },
        Flood("meshes", "type: CertificateAuthority\nname: c\nmeshes: [", 110_000, "]\n") { "m\($0)," },
        Flood("ports", "type: MeshService\nname: s\nspec:\n  ports: [", 80_000, "]\n") { _ in "{port: 0}," },
        Flood("tags", "type: MeshService\nname: s\nspec: {selector: {dataplaneTags: {", 60_000, "}}}\n") { "t\($0): '*'," },
    ]

    @Test(arguments: floods) func `a megabyte of fields is answered in bounded time and words`(flood: Flood) {
        let start = ContinuousClock.now
        do throws(DocumentError) {
            _ = try documents(flood.text)
        } catch {
            #expect(error.issues.count <= 50 && error.description.utf8.count < 20_000)
        }
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test(arguments: ["<<: {a: b}", "? [a]\n: b", "? {a: b}\n: c"]) func `merge keys and keys that are no text are refused`(
        text: String
    ) {
        #expect(throws: DocumentError.self) { try DocumentText.parse(Array(text.utf8), format: .yaml) }
    }

    @Test(arguments: ["010", "0x1F", "0o17", "1_000", "+1", ".5", "5.", ".inf", "-.INF", ".NaN"])
    func `a number that parsers disagree about is refused`(text: String) {
        let error = #expect(throws: DocumentError.self) { try DocumentText.parse(Array("a: \(text)".utf8), format: .yaml) }
        #expect(error?.description.contains("read as different numbers") == true)
    }

    @Test(arguments: ["1.2.3", "10y", "1h30m", "2026-01-02", "v1", "1-2", "a_1"]) func `a word with digits is text`(text: String)
        throws
    {
        let node = try #require(try DocumentText.parse(Array("a: \(text)".utf8), format: .yaml).first)
        #expect(JSONValue(node)["a"] == .string(text))
    }

    @Test(arguments: [
        String(repeating: "[", count: 500_000), String(repeating: "{a: ", count: 200_000),
        String(repeating: "- ", count: 400_000) + "x",
        String(repeating: "? ", count: 400_000) + "x", String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
        (0..<40).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
        // Desynchronises the count of brackets, so that the parser's own bound and the count of nodes must hold.
        "a: b\n  'c\nd: " + String(repeating: "[']", count: 100_000),
        "- x\n  \"\n- " + String(repeating: "['", count: 30),
    ]) func `deep YAML is refused in bounded time`(text: String) {
        let start = ContinuousClock.now
        #expect(throws: DocumentError.self) { try DocumentText.parse(Array(text.utf8), format: .yaml) }
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test(arguments: [
        String(repeating: "[", count: 500_000), String(repeating: "{\"a\":", count: 200_000),
        String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
    ]) func `deep JSON is refused`(text: String) {
        let error = #expect(throws: DocumentError.self) { try DocumentText.parse(Array(text.utf8), format: .json) }
        #expect(error?.description == "line 1: nested deeper than 32 levels")
    }

    @Test func `thirty-two levels are accepted in both formats`() throws {
        let text = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        for format in [DocumentText.Format.json, .yaml] {
            #expect(try DocumentText.parse(Array(text.utf8), format: format).count == 1)
        }
        let block =
            (0..<31).map { String(repeating: " ", count: $0) + "a:\n" }.joined() + String(repeating: " ", count: 31) + "a: b\n"
        #expect(throws: DocumentError.self) { try DocumentText.parse(Array(block.utf8), format: .yaml) }
        let shallower = block.split(separator: "\n").dropLast().joined(separator: "\n") + " b\n"
        #expect(try DocumentText.parse(Array(shallower.utf8), format: .yaml).count == 1)
    }

    @Test(arguments: [
        "", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "01", "1.", "\"\\u12\"", "\"\\ud800\"", "\"\\u0000\"", "\"\t\"",
        "nul", "{} {}",
        "{'a':1}", "\"\\x\"", "\"", "\"\\", "[1 2]", "-", "+1", "\"\\u+123\"",
    ]) func `malformed JSON is refused`(text: String) {
        #expect(throws: DocumentError.self) { try DocumentText.parse(Array(text.utf8), format: .json) }
    }

    @Test func `JSON escapes are decoded`() throws {
        let value = try JSONValue(parsing: #"{"a":"\"\\\/\b\f\n\r\té😀","b":[-0.5e-2,{}]}"#)
        #expect(value["a"] == .string("\"\\/\u{8}\u{C}\n\r\té😀"))
        #expect(value["b"] == .array([.number("-0.5e-2"), .object([])]))
        #expect(try JSONValue(parsing: value.json) == value)
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        for format in [DocumentText.Format.json, .yaml] {
            let error = #expect(throws: DocumentError.self) { try DocumentText.parse([0x22, 0xFF, 0x22], format: format) }
            #expect(error?.description == "the text is not UTF-8")
        }
    }

    @Test func `no arrangement of tokens hides an anchor from the look before parsing`() {
        var random = SplitMix(state: 11)
        let tokens = [
            "&a", "&a ", " &b x", "*a", "- ", "? ", ": ", ":", ",", "[", "]", "{", "}", "\"", "'", "\n", "\n  ", "\n    ", " ",
            "\t", "x", "k: ", "|\n", ">-\n",
            "#", " # ", "---\n", "...\n", "!", "!!str ", "!<t>", "%YAML 1.1\n", "\\", "\u{85}", "\u{2028}", "\u{FEFF}", "\r", "é",
            "=", ")", "%", "@",
        ]
        for _ in 0..<60_000 {
            let text = (0..<Int.random(in: 1..<14, using: &random)).map { _ in tokens.randomElement(using: &random) ?? "" }
                .joined()
            do throws(DocumentError) {
                _ = try DocumentText.parse(Array(text.utf8), format: .yaml)
            } catch {
                #expect(!error.description.hasSuffix("YAML anchors are not accepted: write the value out"), "\(text)")
            }
        }
    }

    @Test func `any bytes are answered with nodes or an error`() {
        var random = SplitMix(state: 7)
        let alphabet = Array("&*!|>'\"%@`{}[],:?-# \n\tabc\\01~<=".utf8)
        for _ in 0..<4000 {
            let bytes = (0..<Int.random(in: 0..<60, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0x20 }
            for format in [DocumentText.Format.json, .yaml] {
                guard let nodes = try? DocumentText.parse(bytes, format: format) else { continue }
                // What is read must come back the same from what is written.
                for value in nodes.map({ JSONValue($0) }) {
                    #expect((try? JSONValue(parsing: value.json)) == value, "\(String(decoding: bytes, as: UTF8.self))")
                    let again = try? DocumentText.parse(Array(value.yaml.utf8), format: .yaml).map { JSONValue($0) }
                    #expect(again == (value == .null ? [] : [value]), "\(value.yaml)")
                }
            }
        }
    }

    private func expectAnchorRefusal(_ text: String, line: Int) {
        let error = #expect(throws: DocumentError.self) { try DocumentText.parse(Array(text.utf8), format: .yaml) }
        #expect(
            error?.description.hasPrefix("line \(line): YAML anchors ('&name') and aliases ('*name') are not accepted") == true)
    }
}

/// A generator with a seed, so that a failure comes back.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
