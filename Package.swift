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

        // The vocabulary: what can be asked, what is answered, who holds which bytes.
        .target(name: "IO", swiftSettings: strict),

        // Bytes to meaning and back. Pure.
        .target(name: "HTTP", swiftSettings: strict),

        // CRC32C. Pure.
        .target(name: "Checksums", dependencies: ["CChecksum"], swiftSettings: strict),

        // The disk's shape: superblock, records, allocator, flush epochs, recovery. Pure.
        .target(name: "Volumes", dependencies: ["Checksums"], swiftSettings: strict),

        .testTarget(name: "HTTPTests", dependencies: ["HTTP"], swiftSettings: strict),
        .testTarget(name: "ChecksumsTests", dependencies: ["Checksums"], swiftSettings: strict),
        .testTarget(
            name: "VolumesTests", dependencies: ["Volumes", "Checksums"], swiftSettings: strict),
    ]
)
