import DrillNetlink
import Glibc

/// What ip or tc prints inside a namespace: the second opinion on what we set.
func tool(_ command: String, in namespace: borrowing NetworkNamespace) throws -> String {
    try namespace.run {
        // A child of the thread that visits the namespace is in it.
        guard let pipe = popen("\(command) 2>&1", "re") else { throw SystemError(errno: errno) }
        let text = readAll(fileno(pipe))
        let status = pclose(pipe)
        guard status == 0 else { throw ToolError(command: command, text: text) }
        return text
    }
}

struct ToolError: Error {
    let command: String
    let text: String
}

func readAll(_ fileDescriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(fileDescriptor, &buffer, buffer.count)
        if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += buffer[..<count]
    }
}

/// Netlink sockets that are open in the namespace, whosever they are.
func netlinkSockets(in namespace: borrowing NetworkNamespace) throws -> Int {
    try namespace.run {
        let fd = open("/proc/thread-self/net/netlink", O_RDONLY | O_CLOEXEC)
        try check(fd)
        defer { close(fd) }
        return readAll(fd).split(separator: "\n").count
    }
}

/// Descriptors of this process that hold the namespace open.
func openNamespaces(_ inode: UInt64) throws -> Int {
    guard let directory = opendir("/proc/self/fd") else { throw SystemError(errno: errno) }
    defer { closedir(directory) }
    var count = 0
    while let entry = readdir(directory) {
        var status = stat()
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if stat("/proc/self/fd/\(name)", &status) == 0, UInt64(status.st_ino) == inode {
            var target = [CChar](repeating: 0, count: 64)
            if readlink("/proc/self/fd/\(name)", &target, 63) > 0,
                String(decoding: target.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
                    == "net:[\(inode)]"
            {
                count += 1
            }
        }
    }
    return count
}
