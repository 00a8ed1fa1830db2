package import DrillCore
internal import DrillReport
internal import FoundationEssentials
internal import Glibc

/// One run's folder (FORMATS.md, "Run folder").
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

    private var names: [String] { names(in: nil) }

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

    /// Trials of which anything was written, in order.
    package var trials: [TrialName] {
        Set(
            names.filter { $0.contains(".ops") || $0.hasSuffix(".events.jsonl") }
                .compactMap(TrialName.init(file:))
        ).sorted()
    }

    /// A trial's operations and events, whatever of them there is.
    ///
    /// A CSV file is read in place of binary ones; a line that a crash cut off ends the events. Hosts have their
    /// names wherever an `identity` event tells them.
    ///
    /// - Parameter forPictures: leave out what no picture shows, which is nearly all of a ledger's events: the keys
    ///   that were read back. What an analysis found of them is in its report.
    package func history(
        of trial: TrialName, forPictures: Bool = false
    ) throws(StoreError) -> History {
        var streams: [OperationStream] = []
        var gaps: [String] = []
        let csv = "\(trial.stem).ops.csv"
        for name in names
        where name.hasSuffix(".ops") && TrialName(file: String(name)) == trial {
            let bytes = try read(name)
            do {
                let contents = try OperationsFile.decode(bytes)
                streams += contents.streams
                // Also beside a CSV file, which was made of it.
                if !contents.isComplete { gaps.append("\(name) is cut off before its end") }
            } catch {
                guard exists(csv) else { throw StoreError("\(file(name)): \(error)") }
                gaps.append("\(name) cannot be read")
            }
        }
        if exists(csv) {
            let bytes = try read(csv)
            do {
                streams = try OperationsCSV.parse(bytes, file: file(csv))
            } catch {
                throw StoreError(error.description)
            }
        }
        let name = "\(trial.stem).events.jsonl"
        let lines = EventsFile(path: file(name), forPictures: forPictures)
        let events = exists(name) ? try lines.events(in: try read(name)) : []
        let history = History(streams: streams, events: events, gaps: gaps)
        guard history.isPlausible else {
            throw StoreError(
                "\(file(trial.stem)): instants lie more than \(History.longest.spelled) apart; no trial is that long"
            )
        }
        return history.namingHosts()
    }

    /// What `history(of:)` reads, as it is now.
    package func stamps(of trial: TrialName) -> [FileStamp] {
        names.filter { TrialName(file: $0) == trial }
            .compactMap { FileStamp($0, at: file($0)) }
    }

    /// The digests of the files that a report rests on.
    package func evidence() throws(StoreError) -> [Evidence] {
        var evidence: [Evidence] = []
        for name in names
        where TrialName(file: name) != nil
            || ["scenario.yaml", "system.yaml", "run.json"].contains(name)
        {
            evidence.append(Evidence(file: name, sha256: SHA256.hex(try read(name))))
        }
        return evidence
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
