import Glibc

/// How many files and sockets this process may have open.
package enum DescriptorLimit {
    /// As many as it may allow itself: a plan may need more connections than the usual 1024. Where that is still too
    /// few, the operations say so (`unsent:generator`).
    package static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
