import PKI
import Testing

@testable import Authority

@Suite struct ClockDifferenceTests {
    private static let noon = Timestamp(seconds: 1_800_000_000)

    @Test func `the replica's clock is taken in the middle of the round trip`() {
        let difference = ClockDifference(asked: Self.noon, took: .seconds(4), database: Self.noon + .seconds(2))
        #expect(difference.value == .zero && !difference.exceeds(.zero))
        let ahead = ClockDifference(asked: Self.noon, took: .zero, database: Self.noon - .seconds(90))
        let behind = ClockDifference(asked: Self.noon, took: .zero, database: Self.noon + .seconds(90))
        #expect(ahead.value == .seconds(90) && behind.value == .seconds(-90))
    }

    @Test func `what a slow answer may account for is held against no clock`() {
        for offset in [-14, 14] {
            let asked = Self.noon + .seconds(offset)
            #expect(ClockDifference(asked: asked, took: .zero, database: Self.noon).exceeds(.seconds(10)))
            // It may have been given at either end of the wait.
            let slow = ClockDifference(asked: asked - .seconds(5), took: .seconds(10), database: Self.noon)
            #expect(slow.value == .seconds(offset) && !slow.exceeds(.seconds(10)))
        }
    }
}
