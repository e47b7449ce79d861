import Logging
import Testing

@testable import signet

@Suite struct LogfmtHandlerTests {
    @Test func `A line has its fields in order and quotes what is no plain word`() {
        let line = LogfmtHandler.line(
            time: "T", level: .notice, label: "sds", message: "a proxy came", metadata: ["node": "web 1", "mesh": "default"])
        #expect(line == "time=T level=notice label=sds message=\"a proxy came\" mesh=default node=\"web 1\"\n")
    }

    @Test(arguments: [
        ("", "\"\""), ("plain-word_1/x:y", "plain-word_1/x:y"), ("a=b", "\"a=b\""), ("say \"x\"", "\"say \\\"x\\\"\""),
        ("a\nlevel=error", "\"a\\nlevel=error\""), ("\u{1B}[31m", "\"\\u{1b}[31m\""), ("\u{202E}x", "\"\\u{202e}x\""),
        ("c:\\d", "\"c:\\\\d\""),
    ])
    func `A value cannot break out of its field`(text: String, quoted: String) {
        #expect(LogfmtHandler.value(text) == quoted)
    }
}
