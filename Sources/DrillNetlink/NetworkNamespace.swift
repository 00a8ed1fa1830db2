import CLinux
import Glibc

/// An open network namespace. It lives on while any descriptor of it is open, netlink sockets
/// included: a value that is kept pins the namespace of a dead host.
package struct NetworkNamespace: ~Copyable, Sendable {
    package let fileDescriptor: Int32

    /// Takes over the descriptor and closes it at the end.
    package init(owning fileDescriptor: Int32) { self.fileDescriptor = fileDescriptor }

    deinit { close(fileDescriptor) }

    /// A fresh namespace with nothing in it but a loopback that is down. Nobody's namespace changes.
    package static func create() throws(NetlinkError) -> NetworkNamespace {
        try NetworkNamespace(checking: clinux_netns_create(), "create a network namespace")
    }

    package static func open(process: Int32) throws(NetlinkError) -> NetworkNamespace {
        try NetworkNamespace(
            checking: clinux_netns_of_process(process),
            "open the network namespace of process \(process)")
    }

    /// That of the calling thread.
    package static func current() throws(NetlinkError) -> NetworkNamespace {
        try NetworkNamespace(checking: clinux_netns_current(), "open the own network namespace")
    }

    private init(checking result: Int32, _ operation: String) throws(NetlinkError) {
        guard result >= 0 else { throw NetlinkError(operation: operation, errno: -result) }
        fileDescriptor = result
    }

    /// The namespace's inode number: the same for all descriptors of one namespace.
    package var inode: UInt64 {
        get throws(NetlinkError) {
            var status = stat()
            guard fstat(fileDescriptor, &status) == 0 else {
                throw NetlinkError(operation: "stat a network namespace", errno: Glibc.errno)
            }
            return UInt64(status.st_ino)
        }
    }

    /// Runs the body inside the namespace, on a thread that is made for it and ends with it, and
    /// waits. Sockets that the body opens stay in the namespace and can be used from anywhere; a
    /// child that it starts inherits the namespace.
    package func run<T>(_ body: () throws -> T) throws -> T {
        var result: Result<T, any Error>?
        let error = withoutActuallyEscaping(body) { body in
            let visit = Visit { result = Result(catching: body) }
            return withExtendedLifetime(visit) {
                clinux_netns_run(
                    fileDescriptor,
                    { context in
                        guard let context else { return }
                        Unmanaged<Visit>.fromOpaque(context).takeUnretainedValue().body()
                    }, Unmanaged.passUnretained(visit).toOpaque())
            }
        }
        guard let result else {
            throw NetlinkError(operation: "enter a network namespace", errno: error)
        }
        return try result.get()
    }
}

/// What the C thread is handed.
private final class Visit {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
}
