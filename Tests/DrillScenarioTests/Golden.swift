import Glibc
import Testing

/// Texts that are compared byte for byte with a file beside the tests; `UPDATE_GOLDEN=1` writes it.
enum Golden {
    static func path(_ name: String) -> String {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return "/\(folder)/Golden/\(name)"
    }

    static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func check(_ text: String, _ name: String) {
        if getenv("UPDATE_GOLDEN") != nil {
            guard let file = fopen(path(name), "w") else {
                Issue.record("cannot write \(path(name))")
                return
            }
            fputs(text, file)
            fclose(file)
        }
        #expect(read(path(name)) == text)
    }
}
