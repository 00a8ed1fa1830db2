package import DrillCore

/// `manifest.json`: the digest of each file, chained to the previous run of the system.
package struct Manifest: Hashable, Sendable, Codable {
    package var schema = "firedrill.manifest/v1"
    package var run: String
    package var files: [Evidence]
    /// The previous run's id and its manifest's digest; null for the first.
    @Present package var previous: Evidence?

    /// Of everything in the folder but the manifest itself, logs included.
    ///
    /// - Parameter known: digests that the report has: of its evidence, which is most of the folder.
    package init(
        of folder: RunFolder, run: String, previous: RunFolder?, known: [Evidence] = []
    ) throws(StoreError) {
        self.run = run
        files = []
        let known = Dictionary(known.map { ($0.file, $0) }) { $1 }
        for name in folder.names(in: nil) + folder.names(in: "logs") where name != "manifest.json" {
            if let evidence = known[name] {
                files.append(evidence)
            } else {
                files.append(Evidence(file: name, sha256: SHA256.hex(try folder.read(name))))
            }
        }
        if let previous, previous.exists("manifest.json") {
            self.previous = Evidence(
                file: String(previous.path.split(separator: "/").last ?? ""),
                sha256: SHA256.hex(try previous.read("manifest.json")))
        } else {
            self.previous = nil
        }
    }
}
