import Foundation

/// A place where a test kills the process or leaves something out, named by `FAILPOINT_SIGNET` in the environment. Debug builds only:
/// in a release build there is none.
enum Failpoint {
    #if DEBUG
        private static let name = ProcessInfo.processInfo.environment["FAILPOINT_SIGNET"]
    #endif

    /// Whether this one is set.
    static func isSet(_ point: String) -> Bool {
        #if DEBUG
            return name == point
        #else
            return false
        #endif
    }

    /// Ends the process here as `kill -9` does, if `kill-<point>` is set.
    static func pass(_ point: String) {
        if isSet("kill-\(point)") { kill(getpid(), SIGKILL) }
    }
}
