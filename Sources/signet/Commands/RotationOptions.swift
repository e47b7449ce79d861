import AdminWire
import ArgumentParser

/// How a certificate authority replaces its root: the member `rotation` of its document.
struct RotationOptions: ParsableArguments {
    enum RetireAfter: String, ExpressibleByArgument, CaseIterable {
        case expired, reissued
    }

    @Option(
        help: ArgumentHelp(
            """
            When an old root is withdrawn: expired, when no certificate under it is valid any more; reissued, when each has \
            been replaced and the replacement acknowledged (default: expired).
            """, valueName: "what"))
    var retireAfter: RetireAfter?

    @Flag(help: "Leave the root as it is when its end comes near; rotate it yourself in time.")
    var noAutomaticRotation = false

    /// None where nothing is asked for: the server's defaults hold.
    var members: [JSONValue.Member] {
        var rotation: [JSONValue.Member] = []
        if noAutomaticRotation { rotation.append(.init("automatic", .bool(false))) }
        if let retireAfter { rotation.append(.init("retireAfter", .string(retireAfter.rawValue))) }
        return rotation.isEmpty ? [] : [.init("rotation", .object(rotation))]
    }
}
