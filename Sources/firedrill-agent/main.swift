import DrillAgent
import Glibc

exit(AgentMain.run(Array(CommandLine.arguments.dropFirst())))
