import FoundationEssentials
import Glibc
import Testing

/// Byte for byte against a file in Golden/; `UPDATE_GOLDEN=1` writes it anew.
enum Golden {
    static let folder = String(#filePath.dropLast("Golden.swift".count)) + "Golden/"
    static let repository = String(#filePath.dropLast("Tests/DrillReportTests/Golden.swift".count))

    static func expect(
        _ bytes: [UInt8], is name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let path = folder + name
        if getenv("UPDATE_GOLDEN") != nil {
            mkdir(folder, 0o755)
            try Data(bytes).write(to: URL(filePath: path))
        }
        let golden = try [UInt8](Data(contentsOf: URL(filePath: path)))
        let same = golden == bytes
        let place = zip(golden, bytes).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        let from = max(0, (place ?? min(golden.count, bytes.count)) - 60)
        let excerpt = String(decoding: bytes[min(from, bytes.count)...].prefix(160), as: UTF8.self)
        #expect(
            same, "\(name) differs near byte \(place ?? -1): …\(excerpt)…",
            sourceLocation: sourceLocation)
    }
}
