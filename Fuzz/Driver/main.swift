import Dispatch
import Foundation
import FuzzTargets

/// What FUZZ_TARGET names; libFuzzer calls `testOneInput` with one input after the other.
private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let all = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
        FileHandle.standardError.write(Data("FUZZ_TARGET must be one of: \(all)\n".utf8))
        exit(64)
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let isDone = DispatchSemaphore(value: 0)
    Task.detached {
        do {
            _ = try await target.run(bytes)
        } catch {
            FileHandle.standardError.write(Data("\(target.rawValue): \(error)\n".utf8))
            abort()
        }
        isDone.signal()
    }
    isDone.wait()
    return 0
}
