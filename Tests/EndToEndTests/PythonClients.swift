/// A Python with the HTTP clients in it that people write their uploads with.

import Foundation

enum PythonClients {
    /// By the names that pip knows, and those to import.
    private static let packages = [
        "tuspy==1.1.0": "tusclient", "requests==2.32.3": "requests", "httpx==0.28.1": "httpx",
        "aiohttp==3.11.11": "aiohttp",
    ]

    /// Its path; nil, said loudly, where it is not to be had.
    static let python: String? = {
        let directory = Programs.directory + "/clients"
        let python = directory + "/bin/python"
        let imports = "import " + packages.values.sorted().joined(separator: ", ")
        let isThere = { (try? Programs.run(python, ["-c", imports]))?.status == 0 }
        if isThere() { return python }
        _ = try? Programs.run("python3", ["-m", "venv", directory], withinSeconds: 120)
        _ = try? Programs.run(
            python,
            ["-m", "pip", "install", "-q", "--retries", "1"] + packages.keys.sorted(),
            withinSeconds: 240)
        if isThere() { return python }
        print("SKIPPED Python's clients: they cannot be installed (no python3-venv, or no network)")
        return nil
    }()
}
