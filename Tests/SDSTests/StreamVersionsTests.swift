import SDS
import Testing

@Suite struct StreamVersionsTests {
    @Test(arguments: [
        [:], ["ROOTCA": "abc"], ["b": "2", "a": "1"], ["a,b": "c=d", "50%": "%2C", "": "", "é\n": "ü "],
    ])
    func `What is written is read back`(versions: [String: String]) {
        let text = StreamVersions(versions).text
        #expect(StreamVersions(parsing: text).versions == versions)
        #expect(text.utf8.allSatisfy { (0x21...0x7E).contains($0) })
    }

    @Test func `Names are sorted, so that every replica writes the same`() {
        #expect(StreamVersions(["b": "2", "a": "1", "c": "x=y"]).text == "a=1,b=2,c=x%3Dy")
    }

    @Test(arguments: ["7", "=", "a", "a=b=c", "%=1", "%4=1", "a=%zz", "%FF=1", ",,,"])
    func `What is not of this form names nothing that matters`(text: String) {
        let versions = StreamVersions(parsing: text).versions
        #expect(versions.isEmpty || versions == ["": ""])
    }

    @Test func `A text beyond any stream's is not read`() {
        #expect(StreamVersions(parsing: "a=" + String(repeating: "x", count: 70_000)).versions.isEmpty)
    }
}
