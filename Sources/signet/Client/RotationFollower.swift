import AdminWire
import Foundation
import PKI

/// Looks at a rotation again and again until it has ended, and shows each time how it stands.
///
/// The server's state is the truth: whoever follows drives nothing, and may come and go.
struct RotationFollower: Sendable {
    enum Form: Sendable {
        /// One JSON object a line, for each change.
        case json
        /// A plain line for each thing that changed.
        case lines
        /// A picture that is drawn over.
        case picture
        /// One YAML document for each change.
        case yaml

        init(_ format: OutputFormat) {
            switch format {
            case .json: self = .json
            case .table: self = Console.outputIsTerminal ? .picture : .lines
            case .yaml: self = .yaml
            }
        }
    }

    let client: AdminClient
    let id: String
    var form: Form
    /// A person sees no difference below a second; a look costs the service a query.
    var interval: Duration = .seconds(1)
    /// When nobody is waited for any longer; nil: never.
    var timeout: Duration?

    /// The service restarts within seconds, and a database fails over within a minute; longer is for a person to look at.
    private static let patience: Duration = .seconds(60)

    /// As it was last seen: ended, unless the timeout came first.
    func follow() async throws -> RotationMessage {
        let clock = ContinuousClock()
        let start = clock.now
        var screen = LiveScreen()
        var first: RotationEstimate.Sighting?
        var shown: RotationMessage?
        var failing: ContinuousClock.Instant?
        while true {
            if let (rotation, value) = try await look(&failing, at: clock.now) {
                let now = RotationEstimate.Sighting(
                    rotation: rotation, at: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)))
                if first?.rotation.phase != rotation.phase { first = now }
                try show(now, value, first: first ?? now, before: shown, on: &screen)
                shown = rotation
                if RotationText.hasEnded(rotation) { return rotation }
            }
            if let timeout, clock.now - start >= timeout, let shown { return shown }
            let rest = timeout.map { max(.milliseconds(10), $0 - (clock.now - start)) } ?? interval
            try await clock.sleep(for: min(interval, rest))
        }
    }

    /// Nil while the service is away, for as long as there is patience.
    private func look(
        _ failing: inout ContinuousClock.Instant?, at now: ContinuousClock.Instant
    ) async throws -> (RotationMessage, JSONValue)? {
        let failure: CommandFailure
        do {
            let answer = try await client.attempt("GET", AdminClient.rotationPath(id))
            if answer.isDone {
                failing = nil
                return (try client.decode(RotationMessage.self, answer), try client.json(answer))
            }
            guard answer.status >= 500 || answer.status == 429 else { throw client.failure(answer) }
            failure = client.failure(answer)
        } catch let problem as CommandFailure where problem.isUnreachable {
            failure = problem
        }
        try Task.checkCancellation()
        guard let since = failing else {
            failing = now
            Console.note("\(failure.line); trying again")
            return nil
        }
        guard now - since < RotationFollower.patience else { throw failure }
        return nil
    }

    private func show(
        _ now: RotationEstimate.Sighting, _ value: JSONValue, first: RotationEstimate.Sighting, before: RotationMessage?,
        on screen: inout LiveScreen
    ) throws {
        switch form {
        case .json: if before != now.rotation { try Console.out(value.json) }
        case .lines: for line in RotationNews.lines(from: before, to: now.rotation) { try Console.out(line) }
        case .picture:
            let size = LiveScreen.size
            let picture = RotationPicture(
                width: size.columns - 1, mostBlockers: max(1, min(12, size.rows - 7)),
                usesColour: (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty)
            try screen.draw(picture.lines(first: first, now: now))
        case .yaml: if before != now.rotation { try Console.out("---\n" + value.yaml) }
        }
    }
}

extension RotationFollower {
    /// Follows to the end, for whoever watches: throws where it was aborted or superseded, and where Ctrl-C came first.
    func watch() async throws {
        guard let end = try await Interrupt.ends({ try await follow() }) else {
            throw CommandFailure.interrupted("the rotation \(id) goes on; see it again with 'signet rotation watch \(id)'")
        }
        guard end.phase == "completed", RotationText.supersession(end) == nil else {
            throw CommandFailure.failed(RotationText.end(end, heldBy: await client.holder(of: end)))
        }
        switch form {
        case .lines, .picture: try Console.out(RotationText.end(end))
        case .json, .yaml: break
        }
    }
}
