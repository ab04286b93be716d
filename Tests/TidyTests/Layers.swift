// The rules about which module may import which.

extension Rules {
    /// Imports of our own modules: declared above the importer, and among its dependencies.
    static func layers(_ file: SourceText, _ manifest: PackageManifest) -> [String] {
        guard file.isSwift, file.isSource || file.path.hasPrefix("Tests/"),
            let importer = manifest.position(of: file.module)
        else { return [] }
        return file.imports.compactMap { name, line in
            guard let imported = manifest.position(of: name) else { return nil }
            let place = "\(file.path):\(line): \(file.module) imports \(name)"
            if imported >= importer { return "\(place), which Package.swift declares below it" }
            let isDeclared = manifest.targets[importer].dependencies.contains(name)
            return isDeclared ? nil : "\(place), which is not among its dependencies"
        }
    }

    /// Each C shim has exactly one Swift module over it. (Tests may look below their module.)
    static func wrappers(_ files: [SourceText], _ manifest: PackageManifest) -> [String] {
        manifest.targets.filter(\.isCShim).compactMap { shim in
            let importers = Set(
                files.filter { file in
                    file.isSource && file.imports.contains { $0.module == shim.name }
                }.map(\.module))
            guard importers.count != 1 else { return nil }
            let names = importers.isEmpty ? "nobody" : importers.sorted().joined(separator: ", ")
            return "Package.swift: \(shim.name) is imported by \(names), not by one module"
        }
    }
}
