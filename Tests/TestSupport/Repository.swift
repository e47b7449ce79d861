import Foundation

/// Where this package and what it built lie.
package enum Repository {
    /// The package's root folder.
    package static let root: String = {
        var components = #filePath.split(separator: "/").dropLast(3).map(String.init)
        components.insert("", at: 0)
        return components.joined(separator: "/")
    }()

    package static func path(_ relative: String) -> String { "\(root)/\(relative)" }

    /// The folder of the build products: where the running test binary lies.
    package static let products: String = {
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return executable.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
    }()
}
