import DrillCore

/// A host over all of its boots.
@LabActor
final class LabHostState {
    let spec: LabHost
    /// Outside: /var/tmp/firedrill-<run>/<host>; inside: /run/firedrill. It survives a kill.
    let folder: String
    var kernel: HostKernel
    var watch: AddressWatch
    var bootCount = 1
    /// In the order in which they were first started.
    var services: [LabService] = []
    var isBooting = false

    var name: HostName { spec.name }

    init(_ spec: LabHost, folder: String, kernel: HostKernel, watch: AddressWatch) {
        self.spec = spec
        self.folder = folder
        self.kernel = kernel
        self.watch = watch
    }

    func service(_ name: ServiceName) throws(LabFailure) -> LabService {
        guard let service = services.first(where: { $0.name == name }) else {
            throw LabFailure(
                kind: .failed, message: "host \(self.name) has no service \(name)")
        }
        return service
    }

    func place(of service: ServiceName) -> Cgroup {
        kernel.system.child("service-\(service)")
    }
}
