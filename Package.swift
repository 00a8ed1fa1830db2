// swift-tools-version: 6.2
import PackageDescription

/// One list of settings for every target: a warning is an error, and the arrows between modules
/// are what the imports say.
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], resources: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: resources, swiftSettings: settings)
}

let package = Package(
    name: "firedrill",
    products: [
        .executable(name: "firedrill", targets: ["firedrill"]),
        .executable(name: "firedrill-agent", targets: ["firedrill-agent"]),
        .executable(name: "firedrill-load", targets: ["firedrill-load"]),
        .executable(name: "twin", targets: ["twin"]),
    ],
    // Clients that need a C library of their own. Without a trait its client is a capability error that names it.
    traits: [
        .trait(name: "Postgres", description: "The postgres client (libpq-dev)"),
        .trait(name: "MariaDB", description: "The mysql client (libmariadb-dev)"),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CNetlink", pkgConfig: "libnl-route-3.0",
            providers: [.apt(["libnl-3-dev", "libnl-route-3-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(
            name: "CMariaDB", pkgConfig: "libmariadb", providers: [.apt(["libmariadb-dev"])]),
        .target(name: "CLinux"),

        // Values. Everything below points here.
        module("DrillCore", ["CLinux"]),
        module("DrillFaults", ["DrillCore"]),
        module(
            "DrillWorkload",
            [
                "DrillCore", "CLinux",
                .target(name: "CPostgres", condition: .when(traits: ["Postgres"])),
                .target(name: "CMariaDB", condition: .when(traits: ["MariaDB"])),
            ]),
        module("DrillScenario", ["DrillCore", "DrillFaults", "DrillWorkload", yams]),
        module("DrillAnalysis", ["DrillCore", histogram]),
        module("DrillReport", ["DrillCore"]),
        module("DrillStore", ["DrillCore", "DrillReport"]),
        module("DrillRunner", ["DrillCore", "DrillFaults"]),
        module("DrillNetlink", ["DrillCore", "CLinux", "CNetlink"]),
        module("DrillEmulator", ["DrillCore", "CLinux"]),
        module("DrillAgent", ["DrillCore", "DrillNetlink", "DrillEmulator", "CLinux"]),
        module("DrillLab", ["DrillCore", "DrillRunner", "CLinux"]),
        module("DrillTesting", ["DrillCore"]),
        // The reference pair: its protocol, pure; and the program around it.
        module("TwinCore", []),
        module("DrillSimulation", ["TwinCore", "DrillCore"]),
        module("TwinServer", ["TwinCore", "DrillCore", "DrillNetlink", "CLinux"]),

        program(
            "firedrill",
            [
                "DrillCore", "DrillScenario", "DrillFaults", "DrillWorkload", "DrillRunner",
                "DrillLab", "DrillAnalysis", "DrillReport", "DrillStore", "DrillSimulation",
                "TwinCore", "CLinux", argumentParser,
            ]),
        program("firedrill-agent", ["DrillCore", "DrillAgent", "CLinux"]),
        program("firedrill-load", ["DrillCore", "DrillWorkload", "CLinux"]),
        program("twin", ["TwinServer"]),

        tests("DrillCoreTests", ["DrillCore"]),
        tests("DrillFaultsTests", ["DrillFaults", "DrillCore"]),
        tests(
            "DrillScenarioTests",
            ["DrillScenario", "DrillFaults", "DrillWorkload", "DrillCore"], resources: ["Golden"]),
        tests(
            "DrillWorkloadTests", ["DrillWorkload", "DrillAnalysis", "DrillCore", "CLinux"]),
        tests("DrillAnalysisTests", ["DrillAnalysis", "DrillTesting", "DrillCore"]),
        tests(
            "DrillReportTests", ["DrillReport", "DrillTesting", "DrillCore"],
            resources: ["Golden"]),
        tests("DrillStoreTests", ["DrillStore", "DrillCore"]),
        // What the command itself does between a run and its folder.
        tests(
            "FiredrillTests",
            ["firedrill", "DrillScenario", "DrillReport", "DrillStore", "DrillRunner", "DrillCore"]),
        tests(
            "DrillRunnerTests", ["DrillRunner", "DrillTesting", "DrillFaults", "DrillCore"]),
        tests("DrillNetlinkTests", ["DrillNetlink", "DrillCore", "CLinux"]),
        // Run inside the virtual machine, by VMTests.
        tests("NetemTests", ["DrillNetlink", "DrillCore", "CLinux"]),
        tests("VMTests", []),
        tests("DrillEmulatorTests", ["DrillEmulator", "DrillCore"]),
        tests("DrillAgentTests", ["DrillAgent", "DrillNetlink", "DrillCore"]),
        tests("TwinCoreTests", ["TwinCore", "DrillSimulation"]),
        tests("LabTests", ["DrillEmulator", "DrillNetlink", "DrillCore", "CLinux"]),
    ]
)
