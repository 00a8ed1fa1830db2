import Glibc

/// A real nginx on a free port of loopback, in one process, so that one SIGSTOP stops all of it. A folder of its
/// own holds what it writes.
package final class LocalServer {
    package let port: UInt16
    private let folder: String
    private let process: ChildProcess

    package var url: String { "http://127.0.0.1:\(port)/" }
    package var pid: Int32 { process.pid }

    package init() throws(ChildProcess.Failure) {
        var template = Array("/tmp/firedrill-nginx-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ChildProcess.Failure(description: "mkdtemp: \(String(cString: strerror(errno)))")
        }
        folder = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        port = try Self.freePort()
        let configuration = """
            daemon off; master_process off; pid \(folder)/pid; error_log \(folder)/error.log;
            events { worker_connections 8192; multi_accept on; }
            http {
                access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;
                client_body_temp_path \(folder)/body; proxy_temp_path \(folder)/proxy;
                fastcgi_temp_path \(folder)/fastcgi; uwsgi_temp_path \(folder)/uwsgi;
                scgi_temp_path \(folder)/scgi;
                server {
                    listen 127.0.0.1:\(port) backlog=4096;
                    location / { add_header X-Firedrill-Host a; return 200 "hello\\n"; }
                }
            }
            """
        guard let file = fopen("\(folder)/nginx.conf", "w") else {
            throw ChildProcess.Failure(
                description: "\(folder): \(String(cString: strerror(errno)))")
        }
        fputs(configuration, file)
        fclose(file)
        let program = ProgramPath.find("nginx") ?? "nginx"
        process = try ChildProcess(
            program, ["-p", folder, "-c", "\(folder)/nginx.conf", "-e", "\(folder)/error.log"],
            quiet: true)
        guard Self.waitUntilOpen(port) else {
            throw ChildProcess.Failure(description: "nginx did not open port \(port) within 5 s")
        }
    }

    deinit {
        kill(process.pid, SIGKILL)
        for name in ["body", "proxy", "fastcgi", "uwsgi", "scgi"] { rmdir("\(folder)/\(name)") }
        for name in ["pid", "error.log", "nginx.conf"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    package func signal(_ number: Int32) { process.signal(number) }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func freePort() throws(ChildProcess.Failure) -> UInt16 {
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let error = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) | getsockname(descriptor, $0, &length)
            }
        }
        guard error == 0 else {
            throw ChildProcess.Failure(description: "bind: \(String(cString: strerror(errno)))")
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func waitUntilOpen(_ port: UInt16) -> Bool {
        for _ in 0..<500 {
            let descriptor = socket(
                AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            var address = loopback(port)
            let error = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if error == 0 { return true }
            usleep(10_000)
        }
        return false
    }
}
