import AdminWire
import PKI
import Testing

@Suite struct WireDurationTests {
    @Test(
        arguments: [
            ("10s", 10_000), ("1h30m", 5_400_000), ("1d", 86_400_000), ("1w", 604_800_000), ("10y", 315_360_000_000),
            ("250ms", 250),
            ("1m1ms", 60_001), ("30m1h", 5_400_000),
        ] as [(String, Int64)]) func `a duration is the sum of its parts`(text: String, milliseconds: Int64) throws
    {
        let duration = try WireDuration(text)
        #expect(duration.duration.wholeMilliseconds == milliseconds)
        #expect(duration.text == text)
    }

    @Test(arguments: [
        "", "1", "s", "1 h", "1H", "-1h", "1.5h", "1h1h", "0s", "0h0m", "1mo", "1hh", "99999999999999999999s", "1001y", "٣s",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: InvalidName.self) { try WireDuration(text) }
    }

    @Test(arguments: ["10y", "1d12h", "1h30m", "30s", "1s500ms"]) func `a duration is spelt with the largest units`(text: String)
        throws
    {
        #expect(WireDuration(try WireDuration(text).duration).text == text)
    }
}
