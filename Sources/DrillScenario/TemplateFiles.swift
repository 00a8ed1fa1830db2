/// Template files, each read once.
final class TemplateFiles {
    private let readFile: (String) throws -> [UInt8]
    private var known: [String: Result<Result<SourceFile, DiagnosticList>, FileProblem>] = [:]

    struct FileProblem: Error { var message: String }

    init(_ readFile: @escaping (String) throws -> [UInt8]) { self.readFile = readFile }

    func bytes(_ path: String) -> Result<[UInt8], FileProblem> {
        do { return .success(try readFile(path)) } catch {
            return .failure(FileProblem(message: "\(error)"))
        }
    }

    /// The file's text, why its bytes are no text, or why it cannot be read.
    func read(_ path: String) -> Result<Result<SourceFile, DiagnosticList>, FileProblem> {
        if let found = known[path] { return found }
        let result = bytes(path).map { SourceFile.read($0, path: path) }
        known[path] = result
        return result
    }
}
