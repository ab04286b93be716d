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

        // The vocabulary: what can be asked, what is answered, who holds which bytes.
        .target(name: "IO", swiftSettings: strict),

        // Bytes to meaning and back. Pure.
        .target(name: "HTTP", swiftSettings: strict),

        // CRC32C. Pure.
        .target(name: "Checksums", dependencies: ["CChecksum"], swiftSettings: strict),

        // The disk's shape: superblock, records, allocator, flush epochs, recovery. Pure.
        .target(name: "Volumes", dependencies: ["Checksums"], swiftSettings: strict),

        // The few blocking calls on files that a start makes: read whole, create once, standard error.
        .target(name: "Files", swiftSettings: strict),

        // Every key with its default, where its value comes from, and the secrets kept beside the data.
        .target(
            name: "Configuration",
            dependencies: ["Files", .product(name: "TOMLKit", package: "TOMLKit")],
            swiftSettings: strict),

        // The command line.
        .executableTarget(
            name: "millrace",
            dependencies: [
                "Configuration", "Files",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        .testTarget(
            name: "ConfigurationTests", dependencies: ["Configuration", "Files"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "millrace", "Configuration", "Files",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP"], swiftSettings: strict),
        .testTarget(
            name: "VolumesTests", dependencies: ["Volumes", "Checksums"], swiftSettings: strict),
    ]
)
