import CLinux
import DrillCore
import DrillNetlink
import Glibc

/// `doctor`: what this machine can do for a drill, which backend each link fault would use, and what earlier runs
/// left. It looks, in a scratch namespace that goes with it, and changes nothing.
enum Doctor {
    private struct Finding {
        var name: String
        /// Nil: it can. Else what is missing and what to do.
        var problem: String?
        var detail: String
        /// Without it no drill runs.
        var needed = true
    }

    static func run() -> Int32 {
        let findings = [
            root, cgroups, namespaces, redirect, realtime, disk, clocks, load,
        ]
        for finding in findings {
            let mark = finding.problem == nil ? "ok     " : finding.needed ? "MISSING" : "absent "
            print("\(mark)  \(finding.name): \(finding.problem ?? finding.detail)")
        }
        print("")
        for line in LinkBackends.look().lines { print(line) }
        print("")
        let left: [Orphans.Leftover]
        do throws(LabFailure) {
            left = try Orphans.find()
        } catch {
            AgentMain.complain(error.message)
            return 4
        }
        let loose = NetworkRemains.findLoose()
        if left.isEmpty, loose.isEmpty { print("orphans: none") }
        for what in loose { print("\(what) lead to no device; `firedrill heal` removes them") }
        for orphan in left {
            let what: String
            switch orphan.state {
            case .running: what = "is running; left alone"
            case .kept:
                what =
                    "is kept; `firedrill shell HOST --run \(orphan.run)`, or `firedrill heal` ends it"
            case .dead:
                what = "left \(orphan.parts.joined(separator: ", ")); `firedrill heal` removes it"
            }
            print("run \(orphan.run) \(what)")
        }
        let isAble = findings.allSatisfy { $0.problem == nil || !$0.needed }
        return isAble ? 0 : 4
    }

    private static var root: Finding {
        Finding(
            name: "root",
            problem: OrdinaryUser.isThis
                ? "an ordinary user: root in the hosts of his labs, and no other user there" : nil,
            detail: "yes", needed: false)
    }

    private static var cgroups: Finding {
        var finding = Finding(name: "cgroup v2", detail: "")
        do throws(LabFailure) {
            guard let root = try Cgroup.root() else {
                finding.needed = false
                finding.problem = MachineCapabilities.noCgroup
                return finding
            }
            finding.detail = root.path
            if access(root.path, W_OK) != 0 {
                finding.problem =
                    "\(root.path) is not writable; run as root, or in a container with --privileged"
            }
        } catch {
            finding.problem = error.message
        }
        return finding
    }

    private static var namespaces: Finding {
        var finding = Finding(name: "network namespaces", detail: "can be made")
        do throws(NetlinkError) {
            _ = try NetworkNamespace.create()
        } catch {
            finding.problem = OrdinaryUser.namespaceFailure("\(error)", error.errno).message
        }
        return finding
    }

    /// The one mechanism under every fault of a link, tried end to end.
    private static var redirect: Finding {
        var finding = Finding(name: "clsact, u32, mirred, ifb, veth, bridge", detail: "work")
        do throws(NetlinkError) {
            let namespace = try NetworkNamespace.create()
            let socket = try NetlinkSocket(in: namespace)
            _ = try socket.addBridge("br0")
            let port = try socket.addVeth("port0", peer: "peer0", peerNamespace: nil)
            let sink = try socket.addIFB("sink", alias: "firedrill:doctor")
            _ = try socket.ensureClsact(port)
            for installed in try socket.silence(port, sink: sink) { try socket.verify(installed) }
        } catch {
            finding.problem =
                "\(error); install the kernel's extra modules (kernel-modules-extra, linux-modules-extra-$(uname -r))"
        }
        return finding
    }

    private static var disk: Finding {
        Finding(
            name: "disk limits", problem: DiskThrottle.missing, detail: "disk.slow can be done",
            needed: false)
    }

    private static var clocks: Finding {
        Finding(
            name: "libfaketime",
            problem: ServiceClock.library == nil ? ServiceClock.missingLibrary : nil,
            detail: ServiceClock.library ?? "", needed: false)
    }

    private static var realtime: Finding {
        var parameter = sched_param()
        parameter.sched_priority = 1
        var finding = Finding(
            name: "SCHED_FIFO", detail: "allowed: load is sent with the least lag", needed: false)
        if sched_setscheduler(0, SCHED_FIFO, &parameter) == 0 {
            parameter.sched_priority = 0
            sched_setscheduler(0, SCHED_OTHER, &parameter)
        } else {
            finding.problem = "not allowed; load may be sent later, and the report says how late"
        }
        return finding
    }

    private static var load: Finding {
        let path = ((try? Surroundings.ownFolder()) ?? "") + "/firedrill-load"
        return Finding(
            name: "firedrill-load",
            problem: access(path, X_OK) == 0
                ? nil : "\(path) is missing; build all programs with `make build`",
            detail: "beside this program")
    }
}
