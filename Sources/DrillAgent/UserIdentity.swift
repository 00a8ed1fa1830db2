import DrillCore
import Glibc

/// A user as the kernel knows him, looked up outside the host.
struct UserIdentity: Hashable, Sendable, Codable {
    var uid: UInt32
    var gid: UInt32
    var groups: [UInt32]
    var home: String

    static func named(_ name: String) throws(LabFailure) -> UserIdentity {
        guard let entry = getpwnam(name) else {
            throw LabFailure(
                kind: .capability, message: "there is no user '\(name)' on this machine")
        }
        let uid = entry.pointee.pw_uid
        let gid = entry.pointee.pw_gid
        let home = String(cString: entry.pointee.pw_dir)
        var count: Int32 = 64
        var groups = [gid_t](repeating: 0, count: Int(count))
        if getgrouplist(name, gid, &groups, &count) < 0 {
            throw LabFailure(kind: .failed, message: "'\(name)' is in more than 64 groups")
        }
        return UserIdentity(
            uid: uid, gid: gid, groups: Array(groups.prefix(Int(count))), home: home)
    }
}
