internal import FoundationEssentials
internal import Glibc

/// One run's folder.
package struct RunFolder: Hashable, Sendable {
    package let path: String

    package init(existing path: String) { self.path = path }

    /// A new folder; refused where it exists and is not empty.
    package init(new path: String) throws(StoreError) {
        self.path = path
        try Self.checkNew(path)
        do {
            try FileManager.default.createDirectory(
                atPath: path + "/logs", withIntermediateDirectories: true)
        } catch {
            throw StoreError("\(path): cannot be made: \(Self.why(error))")
        }
    }

    /// Throws where a new run cannot have this folder because there is something in it.
    package static func checkNew(_ path: String) throws(StoreError) {
        guard !path.isEmpty else { throw StoreError("the run folder's name is empty") }
        if let entries = try? FileManager.default.contentsOfDirectory(atPath: path),
            !entries.isEmpty
        {
            throw StoreError("\(path): is not empty; choose another folder")
        }
    }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    package func write(_ bytes: [UInt8], to name: String) throws(StoreError) {
        do {
            try Data(bytes).write(to: URL(filePath: file(name)), options: .atomic)
        } catch {
            throw StoreError("\(file(name)): cannot be written: \(Self.why(error))")
        }
    }

    package func read(_ name: String) throws(StoreError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: file(name)) else {
            throw StoreError("\(file(name)): cannot be read")
        }
        return Array(data)
    }

    package func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: file(name))
    }

    /// Files of the folder, or of a folder in it, relative to the run folder; folders are left out.
    package func names(in part: String?) -> [String] {
        let place = part.map(file) ?? path
        let entries = ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []).sorted()
        return entries.map { entry in part.map { "\($0)/\(entry)" } ?? entry }.filter { name in
            var isFolder = false
            return FileManager.default.fileExists(atPath: file(name), isDirectory: &isFolder)
                && !isFolder
        }
    }

    package static func why(_ error: any Error) -> String {
        if let error = error as? DecodingError {
            switch error {
            case .dataCorrupted(let context): return context.debugDescription
            case .keyNotFound(let key, _): return "'\(key.stringValue)' is missing"
            case .typeMismatch(_, let context), .valueNotFound(_, let context):
                let path = context.codingPath.map(\.stringValue).joined(separator: ".")
                return (path.isEmpty ? "" : "\(path): ") + context.debugDescription
            @unknown default: return "\(error)"
            }
        }
        if let error = error as? CocoaError {
            if let cause = error.underlying as? POSIXError {
                return String(cString: strerror(cause.code.rawValue))
            }
            switch error.code {
            case .fileNoSuchFile, .fileReadNoSuchFile: return "no such file or folder"
            case .fileWriteFileExists: return "a file is in the way"
            case .fileWriteNoPermission, .fileReadNoPermission: return "permission denied"
            case .fileWriteOutOfSpace: return "no space is left"
            default: return "file error \(error.code.rawValue)"
            }
        }
        return "\(error)"
    }
}

package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}
