/// Every fault, one line each.
package enum FaultCatalog {
    package static let all: [any Fault.Type] = [
        NodeKill.self,
        NodePause.self,
        NodeReboot.self,
        ProcessKill.self,
        ProcessPause.self,
        ProcessRestart.self,
        ProcessSignal.self,
        LinkDown.self,
        LinkFlap.self,
        LinkPartition.self,
        LinkDelay.self,
        LinkLoss.self,
        LinkDuplicate.self,
        LinkCorrupt.self,
        LinkReorder.self,
        LinkRate.self,
        CPUStress.self,
        MemoryStress.self,
        DiskFullness.self,
        DiskSlow.self,
        ClockSkew.self,
        Command.self,
    ]

    package static func named(_ name: String) -> (any Fault.Type)? {
        all.first { $0.description.name == name }
    }
}
