import Foundation

/// What the process asks of the kernel before any key is in its memory.
enum ProcessHardening {
    /// No core dump, no attaching by others of the same user: either would hold keys. And as many descriptors as the hard
    /// limit allows, since the soft one, usually 1024, is a tenth of what proxies need.
    static func apply() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        setNotDumpable()
        var files = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        if getrlimit(resource, &files) == 0 {
            files.rlim_cur = files.rlim_max
            setrlimit(resource, &files)
        }
    }

    /// How many files may be open at a time; nil where the kernel does not say. Each connection is one.
    static var openFiles: Int? {
        var files = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 else { return nil }
        return Int(clamping: files.rlim_cur)
    }

    /// A core pattern that is a pipe ignores RLIMIT_CORE (core(5)); `prctl(PR_SET_DUMPABLE, 0)` is obeyed. It is variadic, which
    /// Swift does not import, so it is looked up by name; its arguments are words, passed alike on every Linux ABI.
    private static func setNotDumpable() {
        guard let symbol = dlsym(nil, "prctl") else { return }
        typealias Control = @convention(c) (CInt, UInt, UInt, UInt, UInt) -> CInt
        let prctl = unsafeBitCast(symbol, to: Control.self)
        let setDumpable: CInt = 4
        _ = prctl(setDumpable, 0, 0, 0, 0)
    }
}
