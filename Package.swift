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
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
    ],
    targets: [
        // C: one folder a system library, imported by exactly one Swift module.
        .target(name: "CChecksum", path: "CShims/CChecksum"),
        .target(
            name: "CUring", path: "CShims/CUring", linkerSettings: [.linkedLibrary("uring")]),
        .target(name: "CThread", path: "CShims/CThread"),
        .target(name: "CMachine", path: "CShims/CMachine"),
        .target(
            name: "CLMDB", path: "CShims/CLMDB", linkerSettings: [.linkedLibrary("lmdb")]),
        .target(
            name: "CTLS", path: "CShims/CTLS", linkerSettings: [.linkedLibrary("crypto")]),
        .target(
            name: "CNUMA", path: "CShims/CNUMA", linkerSettings: [.linkedLibrary("numa")]),

        // The vocabulary: what can be asked, what is answered, who holds which bytes.
        .target(name: "IO", swiftSettings: strict),

        // Bytes to meaning and back. Pure.
        .target(name: "HTTP", swiftSettings: strict),

        // What import and export do with each file, and what is told of it. Pure.
        .target(name: "Trees", dependencies: ["HTTP"], swiftSettings: strict),

        // CRC32C. Pure.
        .target(name: "Checksums", dependencies: ["CChecksum"], swiftSettings: strict),

        // When what failed is asked again, and how often. Pure.
        .target(name: "Resilience", swiftSettings: strict),

        // The disk's shape: superblock, records, allocator, flush epochs, recovery, the state of
        // unfinished uploads. Pure.
        .target(name: "Volumes", dependencies: ["Checksums"], swiftSettings: strict),

        // Decisions. No C, no clock, no `unsafe`.
        .target(name: "Engine", dependencies: ["IO"], swiftSettings: strict),

        // Digests, HMAC-SHA256, constant-time comparison, randomness, hexadecimal.
        .target(name: "Cryptography", dependencies: ["CTLS"], swiftSettings: strict),

        // Which memory is near which CPU.
        .target(name: "NUMA", dependencies: ["CNUMA"], swiftSettings: strict),

        // The index of the records that lie on volumes: on LMDB, or in memory with faults.
        .target(name: "Catalog", dependencies: ["CLMDB"], swiftSettings: strict),

        // Blocking calls on files: what a start reads and creates; trees of them; stderr.
        .target(name: "Files", swiftSettings: strict),

        // HTTP/1.1 over a blocking socket, as much of it as a client of a Millrace needs.
        .target(name: "Remote", dependencies: ["Files"], swiftSettings: strict),

        // Every key with its default, where its value comes from, the secrets beside the data.
        .target(
            name: "Configuration",
            dependencies: [
                "Cryptography", "Files", .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: strict),

        // What the signature of an upload covers, for those who check it and those who make it.
        .target(name: "Signatures", dependencies: ["Cryptography"], swiftSettings: strict),

        // The kernel side of the vocabulary.
        .target(name: "Uring", dependencies: ["IO", "CUring"], swiftSettings: strict),

        // One core's life: jobs, waiting handlers, timers, buffers. Knows no ring.
        .target(name: "Loop", dependencies: ["IO", "CThread"], swiftSettings: strict),

        // Acts: puts, finds, reads and deletes objects, through the deciders and one core's loop.
        .target(
            name: "Store",
            dependencies: [
                "IO", "Loop", "Volumes", "Resilience", "Checksums", "Catalog", "Cryptography",
            ],
            swiftSettings: strict),

        // The HTTP front: connections, routing, a handler a dialect.
        .target(
            name: "Server",
            dependencies: [
                "IO", "HTTP", "Engine", "Loop", "Volumes", "Store", "Cryptography", "Signatures",
            ],
            swiftSettings: strict),

        // Threads and machines.
        .target(
            name: "Runtime",
            dependencies: [
                "IO", "Engine", "Loop", "Uring", "HTTP", "Cryptography", "NUMA", "Catalog",
                "Configuration", "Store", "Server", "CMachine",
            ],
            swiftSettings: strict),

        // Trees of files into a store and out of it, stopped or through a server.
        .target(
            name: "Transfer",
            dependencies: [
                "IO", "HTTP", "Trees", "Files", "Remote", "Configuration", "Loop", "Store",
                "Runtime",
            ],
            swiftSettings: strict),

        // The command line.
        .executableTarget(
            name: "millrace",
            dependencies: [
                "HTTP", "Configuration", "Files", "Runtime", "Cryptography", "Signatures",
                "Transfer", "Trees",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        // What measurements come to, and chance out of a seed: for benches, and for tests.
        .target(name: "BenchMeasure", path: "Bench/Measure", swiftSettings: strict),

        // A disk that loses power, and cores without threads or time.
        .target(
            name: "Simulator", dependencies: ["IO", "Loop", "Checksums", "BenchMeasure"],
            path: "Tests/Simulator", swiftSettings: strict),

        // Questions put to the whole: Millrace beside its peers, in one run.
        .target(name: "CBench", path: "Bench/CBench"),
        .target(
            name: "LinkLaboratory", dependencies: ["Engine", "BenchMeasure"],
            path: "Bench/Laboratory", swiftSettings: strict),
        .target(
            name: "BenchMachine", dependencies: ["Uring", "IO", "CBench"], path: "Bench/Machine",
            swiftSettings: strict),
        .target(
            name: "BenchLoad",
            dependencies: ["BenchMeasure", "BenchMachine", "Uring", "Cryptography", "IO"],
            path: "Bench/Load", swiftSettings: strict),
        .target(name: "CCount", path: "Bench/CCount"),
        .target(
            name: "BenchMicro",
            dependencies: [
                "BenchMeasure", "BenchMachine", "CCount", "IO", "HTTP", "Checksums", "Volumes",
                "Engine", "Cryptography", "Catalog", "Signatures", "Uring", "Loop", "Store",
                "Server",
            ],
            path: "Bench/Micro", swiftSettings: strict),
        .target(
            name: "BenchEngine",
            dependencies: [
                "BenchMeasure", "BenchMachine", "IO", "Uring", "Loop", "Runtime",
            ],
            path: "Bench/Engine", swiftSettings: strict),
        .target(
            name: "BenchPlot", dependencies: ["BenchMeasure"], path: "Bench/Plot",
            swiftSettings: strict),
        .target(
            name: "BenchAdaptation",
            dependencies: [
                "LinkLaboratory", "Engine", "BenchMeasure", "BenchMachine", "BenchPlot",
            ],
            path: "Bench/Adaptation", swiftSettings: strict),
        .target(
            name: "BenchNetwork", dependencies: ["BenchMeasure", "BenchMachine", "IO", "CBench"],
            path: "Bench/Network", swiftSettings: strict),
        .executableTarget(
            name: "millrace-bench",
            dependencies: [
                "BenchAdaptation", "BenchNetwork",
                "BenchLoad", "BenchMicro", "BenchEngine", "BenchPlot", "BenchMeasure",
                "BenchMachine", "Uring", "IO",
            ],
            path: "Bench/Compare", swiftSettings: strict),

        .testTarget(
            name: "IOTests", dependencies: ["IO", "BenchMeasure"], swiftSettings: strict),
        .testTarget(
            name: "BenchTests",
            dependencies: [
                "BenchLoad", "BenchMeasure", "BenchMachine", "BenchEngine", "BenchPlot",
                "BenchAdaptation", "BenchNetwork", "LinkLaboratory", "Cryptography", "Engine",
                "IO",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HTTPTests", dependencies: ["HTTP", "BenchMeasure"], swiftSettings: strict),
        .testTarget(name: "TreesTests", dependencies: ["Trees", "HTTP"], swiftSettings: strict),
        .testTarget(name: "FilesTests", dependencies: ["Files"], swiftSettings: strict),
        .testTarget(
            name: "TransferTests",
            dependencies: [
                "Transfer", "Configuration", "Files", "Loop", "Remote", "Runtime", "Store", "Trees",
                "Volumes",
            ], swiftSettings: strict),
        .testTarget(name: "RemoteTests", dependencies: ["Remote"], swiftSettings: strict),
        .testTarget(name: "ChecksumsTests", dependencies: ["Checksums"], swiftSettings: strict),
        .testTarget(
            name: "VolumesTests", dependencies: ["Volumes", "Checksums", "BenchMeasure"],
            swiftSettings: strict),
        .testTarget(
            name: "ResilienceTests", dependencies: ["Resilience"], swiftSettings: strict),
        .testTarget(
            name: "EngineTests", dependencies: ["Engine", "IO", "LinkLaboratory", "BenchMeasure"],
            swiftSettings: strict),
        .testTarget(
            name: "CryptographyTests", dependencies: ["Cryptography", "NUMA"],
            swiftSettings: strict),
        .testTarget(
            name: "CatalogTests", dependencies: ["Catalog", "BenchMeasure"],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["Configuration", "Files"],
            swiftSettings: strict),
        .testTarget(name: "UringTests", dependencies: ["Uring", "IO"], swiftSettings: strict),
        .testTarget(
            name: "LoopTests", dependencies: ["Runtime", "Loop", "Uring", "IO"],
            swiftSettings: strict),
        .testTarget(
            name: "RuntimeTests",
            dependencies: ["Runtime", "Configuration", "Engine", "Loop", "IO"],
            swiftSettings: strict),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "HTTP", "Engine", "IO", "Loop", "Store", "Cryptography", "Signatures",
                "Catalog", "Simulator", "Checksums",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests", dependencies: ["millrace", "Cryptography"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "millrace", "HTTP", "Configuration", "Files",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(
            name: "StoreTests",
            dependencies: [
                "Store", "Simulator", "Catalog", "Volumes", "Runtime", "Uring", "Loop", "IO",
                "Checksums", "Cryptography",
            ], swiftSettings: strict),
    ]
)
