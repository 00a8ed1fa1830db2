import CLinux
import DrillCore
import Glibc

/// What a program is started with; the same for host-init, services and the load process.
struct ChildSpec {
    /// nil: `arguments[0]` is searched in PATH.
    var executable: String?
    var arguments: [String]
    var environment: [String: String]
    var directory: String?
    /// Become 0, 1, 2, … in the child.
    var descriptors: [Int32]
    var cgroup: Int32 = -1
    var networkNamespace: Int32 = -1
    var isNewHost = false
    var user: UserIdentity?
}

/// A process that this process started.
struct Child {
    let pid: pid_t
    let pidfd: Descriptor

    /// Returns when the program has been executed.
    static func start(_ spec: ChildSpec) throws(LabFailure) -> Child {
        let arguments = CStringArray(spec.arguments)
        let environment = CStringArray(spec.environment.map { "\($0.key)=\($0.value)" }.sorted())
        let executable = spec.executable.map { strdup($0) }
        let directory = spec.directory.map { strdup($0) }
        defer {
            free(executable ?? nil)
            free(directory ?? nil)
        }
        let groups = spec.user?.groups ?? []
        var failedStep = ""
        var pidfd: Int32 = -1
        let pid = spec.descriptors.withUnsafeBufferPointer { descriptors in
            groups.withUnsafeBufferPointer { groups in
                var request = clinux_spawn()
                request.executable = executable.map { UnsafePointer($0!) }
                request.argv = UnsafePointer(arguments.pointer)
                request.environment = UnsafePointer(environment.pointer)
                request.directory = directory.map { UnsafePointer($0!) }
                request.descriptors = descriptors.baseAddress
                request.descriptor_count = descriptors.count
                request.cgroup = spec.cgroup
                request.network_namespace = spec.networkNamespace
                request.new_host = spec.isNewHost ? 1 : 0
                if let user = spec.user {
                    request.switch_user = 1
                    request.uid = user.uid
                    request.gid = user.gid
                    request.groups = groups.baseAddress
                    request.group_count = groups.count
                }
                let pid = withExtendedLifetime((arguments, environment)) { clinux_spawn(&request) }
                failedStep = String(cString: request.failed_step)
                pidfd = request.pidfd
                return pid
            }
        }
        if pid < 0 {
            throw systemFailure("\(failedStep): \(spec.arguments.first ?? "")", Int32(-pid))
        }
        return Child(pid: pid, pidfd: Descriptor(pidfd))
    }

    /// With its pid namespace, where it is the first process of one.
    func kill() throws(LabFailure) {
        try checked(clinux_pidfd_signal(pidfd.number, SIGKILL), "kill process \(pid)")
    }

    /// The exit code, or 128 + the signal; only once the process has ended.
    func reap() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return exitCode(ofWaitStatus: status)
    }
}

/// As a shell counts: the exit code, or 128 + the signal.
func exitCode(ofWaitStatus status: Int32) -> Int32 {
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
}

/// A NULL-terminated array of C strings for exec.
final class CStringArray {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointer = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { pointer[index] = strdup(string) }
        pointer[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointer[index]) }
        pointer.deallocate()
    }
}
