internal import PKI

/// The last answer to the one question whose cost grows with the proxies, and when it may be asked again.
///
/// A hundred times as long as it took is left between two questions, so that it never takes more than a hundredth of one
/// processor, however many leaves there are; what takes less than half a second is asked whenever somebody wants to know.
struct LeafSurvey: Sendable {
    private var expiries: [MeshName: Timestamp] = [:]
    private var isFreshUntil: ContinuousClock.Instant?

    static let unnoticed = Duration.milliseconds(500)
    static let share = 100

    /// The answer, if it is too early to ask again.
    func answer(at now: ContinuousClock.Instant) -> [MeshName: Timestamp]? {
        isFreshUntil.flatMap { now < $0 ? expiries : nil }
    }

    mutating func answered(
        _ expiries: [MeshName: Timestamp], from start: ContinuousClock.Instant, to end: ContinuousClock.Instant
    ) {
        let taken = end - start
        self.expiries = expiries
        isFreshUntil = taken < LeafSurvey.unnoticed ? nil : end + taken * LeafSurvey.share
    }
}
