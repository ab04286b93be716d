// Which peers are installed.

import BenchMeasure

/// The peers' programs that are there, and a line about each that is not.
struct PeerPrograms {
    private(set) var programs: [Side: String] = [:]
    private(set) var versions: [String] = []
    private(set) var skipped: [String] = []

    /// Others may be missing; without nginx there is nothing to compare with.
    static func find(_ options: Options) throws -> PeerPrograms {
        var found = PeerPrograms()
        for side in options.sides {
            switch side {
            case .millrace, .plain, .reduced: found.programs[side] = try Starting.millrace(options)
            case .nginx, .nginxDirect:
                let version = try checkNginx(options.nginx)
                found.programs[side] = options.nginx
                if side == .nginx || options.only == side { found.versions.append(version) }
            case .lighttpd: found.look(for: side, "-v")
            case .caddy: found.look(for: side, "version")
            case .h2o: found.look(for: side, "--version")
            }
        }
        return found
    }

    func isThere(_ side: Side) -> Bool { programs[side] != nil }

    /// Debian's /usr/sbin is not in everybody's PATH.
    private mutating func look(for side: Side, _ option: String) {
        let name = side.rawValue
        for program in [name, "/usr/sbin/\(name)"] {
            guard let text = try? Command.run(program, [option]) else { continue }
            programs[side] = program
            let version = text.split(separator: "\n").first.map(String.init) ?? ""
            versions.append(version.hasPrefix(name) ? version : "\(name) \(version)")
            return
        }
        skipped.append("\(name) is not installed and was left out: apt-get install \(name)")
    }

    /// nginx must be there, and must take PUT. Answers its version.
    private static func checkNginx(_ program: String) throws -> String {
        guard let text = try? Command.run(program, ["-V"]) else {
            throw BenchError("no \(program): apt-get install nginx-light, or say --nginx PATH")
        }
        guard text.contains("http_dav_module") else {
            throw BenchError("\(program) was built without http_dav_module; see --nginx")
        }
        return text.split(separator: "\n").first.map(String.init) ?? "nginx"
    }
}
