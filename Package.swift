// swift-tools-version: 6.2
import PackageDescription

// Read top to bottom: a module may import only what is declared above it. `./mill build` enforces
// it with --explicit-target-dependency-import-check error.

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "millrace",
    targets: [
        // C: one folder a system library, imported by exactly one Swift module.
        .target(name: "CChecksum", path: "CShims/CChecksum"),
        .target(
            name: "CUring", path: "CShims/CUring", linkerSettings: [.linkedLibrary("uring")]),
        .target(name: "CThread", path: "CShims/CThread"),

        // The vocabulary: what can be asked, what is answered, who holds which bytes.
        .target(name: "IO", swiftSettings: strict),

        // Bytes to meaning and back. Pure.
        .target(name: "HTTP", swiftSettings: strict),

        // CRC32C. Pure.
        .target(name: "Checksums", dependencies: ["CChecksum"], swiftSettings: strict),

        // The disk's shape: superblock, records, allocator, flush epochs, recovery. Pure.
        .target(name: "Volumes", dependencies: ["Checksums"], swiftSettings: strict),

        // The kernel side of the vocabulary.
        .target(name: "Uring", dependencies: ["IO", "CUring"], swiftSettings: strict),

        // One core's life: jobs, waiting handlers, timers, buffers. Knows no ring.
        .target(name: "Loop", dependencies: ["IO", "CThread"], swiftSettings: strict),

        // Threads and machines.
        .target(name: "Runtime", dependencies: ["IO", "Loop", "Uring"], swiftSettings: strict),

        // Questions put to the whole: Millrace beside its peers, in one run.
        .target(name: "CMachine", path: "Bench/CMachine"),
        .target(name: "BenchMeasure", path: "Bench/Measure", swiftSettings: strict),
        .target(
            name: "BenchMachine", dependencies: ["Uring", "IO", "CMachine"], path: "Bench/Machine",
            swiftSettings: strict),
        .target(
            name: "BenchLoad", dependencies: ["BenchMeasure", "BenchMachine", "Uring", "IO"],
            path: "Bench/Load", swiftSettings: strict),
        .executableTarget(
            name: "millrace-bench",
            dependencies: ["BenchLoad", "BenchMeasure", "BenchMachine", "Uring", "IO"],
            path: "Bench/Compare", swiftSettings: strict),

        .testTarget(name: "IOTests", dependencies: ["IO"], swiftSettings: strict),
        .testTarget(name: "UringTests", dependencies: ["Uring", "IO"], swiftSettings: strict),
        .testTarget(
            name: "LoopTests", dependencies: ["Runtime", "Loop", "IO"], swiftSettings: strict),
        .testTarget(name: "BenchTests", dependencies: ["BenchMeasure"], swiftSettings: strict),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP"], swiftSettings: strict),
        .testTarget(
            name: "VolumesTests", dependencies: ["Volumes", "Checksums"], swiftSettings: strict),
    ]
)

