import DrillCore
import DrillNetlink

/// Tells of every address that comes to a host's namespace or leaves it.
@LabActor
final class AddressWatch {
    private let host: HostName
    private var monitor: AddressMonitor
    private let descriptor: Int32
    private let emit: (LabEvent) -> Void
    /// What the controller believes that the host holds.
    private(set) var told: Set<String>
    private var isEnded = false

    /// - Parameter told: what was told of the host's boot before this one.
    init(
        _ host: HostName, in namespace: borrowing NetworkNamespace, told: Set<String> = [],
        emit: @escaping (LabEvent) -> Void
    ) throws(LabFailure) {
        self.host = host
        self.told = told
        self.emit = emit
        do throws(NetlinkError) {
            monitor = try AddressMonitor(in: namespace)
            descriptor = monitor.fileDescriptor
        } catch {
            throw LabFailure(error)
        }
    }

    func run() async {
        while !isEnded, case .ready = await Reactor.shared.readable(descriptor), !isEnded {
            let arrival = Reactor.shared.arrival
            do {
                switch try monitor.read() {
                case .changes(let changes): tell(changes, arrival)
                case .overrun:
                    emit(.observing(host, false, arrival))
                    // Watched again only with a list: what changed meanwhile is not known without.
                    if refresh() { emit(.observing(host, true, InstantInterval(.now))) }
                }
            } catch {
                emit(.observing(host, false, arrival))
                emit(.log("host \(host): the address listener is lost: \(error)"))
                return
            }
        }
    }

    /// What is there now, as fresh evidence; what was told and is not there is told as gone.
    /// - Returns: false where it could not be listed, which is told, too.
    @discardableResult func refresh() -> Bool {
        let arrival = Reactor.shared.arrival
        do {
            // What is queued happened before and keeps its own interval.
            if case .changes(let changes) = try monitor.read() { tell(changes, arrival) }
            let low = RunInstant.now
            var present: Set<String> = []
            for change in try monitor.dump() {
                if change.present {
                    present.insert(change.address)
                } else {
                    present.remove(change.address)
                }
            }
            let interval = InstantInterval(low: low, high: .now)
            for address in told.subtracting(present).sorted() {
                emit(.address(host, address: address, present: false, interval))
            }
            for address in present.sorted() {
                emit(.address(host, address: address, present: true, interval))
            }
            told = present
            return true
        } catch {
            emit(.observing(host, false, InstantInterval(low: arrival.low, high: .now)))
            emit(.log("host \(host): addresses cannot be listed: \(error)"))
            return false
        }
    }

    private func tell(_ changes: [AddressChange], _ interval: InstantInterval) {
        for change in changes {
            if change.present { told.insert(change.address) } else { told.remove(change.address) }
            emit(.address(host, address: change.address, present: change.present, interval))
        }
    }

    /// Nothing is told any more; the namespace is let go with the last reference.
    func end() {
        isEnded = true
        Reactor.shared.forget(descriptor)
    }
}
