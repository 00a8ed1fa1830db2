import DrillWorkload
import Glibc

// `firedrill-load bench` is the benchmark alone; otherwise standard input says what to do.
if CommandLine.arguments.dropFirst().first == "bench" {
    exit(LoadBench.run { print($0) })
}
LoadProgram.main()
