import DrillCore

/// `sweep`: what a machine does once when it starts. Every run that it finds is then one that went with the last boot:
/// what that one's kernel held is gone by itself, what lasts is undone from the journals.
enum Sweep {
    static func main(_ arguments: [String]) -> Int32 {
        switch arguments {
        case []: return Orphans.heal(sparesKept: true)
        case ["--unit"]:
            do throws(LabFailure) {
                print(unit(program: try Files.readLink("/proc/self/exe")))
                return 0
            } catch {
                AgentMain.complain(error.message)
                return 1
            }
        default:
            AgentMain.complain(AgentMain.usage)
            return 64
        }
    }

    /// - Parameter program: the path of firedrill-agent. In a unit, `%` begins a specifier and `"` ends a word.
    package static func unit(program: String) -> String {
        var path = ""
        for character in program {
            switch character {
            case "%", "$": path += "\(character)\(character)"
            case "\"", "\\": path += "\\\(character)"
            default: path.append(character)
            }
        }
        return """
            [Unit]
            Description=Undo what Firedrill runs left when the machine went down
            RequiresMountsFor=/var/tmp
            After=local-fs.target

            [Service]
            Type=oneshot
            ExecStart="\(path)" sweep

            [Install]
            WantedBy=multi-user.target
            """
    }
}
