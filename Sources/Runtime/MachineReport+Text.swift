/// The machine report as text: a heading a subject, a line a thing, two spaces between columns.

extension MachineReport {
    public var text: String {
        ([
            "kernel   \(kernel)", processorText, nodeText, storageText, networkText, arenaText,
            ringText,
        ] + (warnings.isEmpty ? [] : [section("warnings", warnings)]))
        .joined(separator: "\n") + "\n"
    }

    private func section(_ heading: String, _ lines: [String]) -> String {
        ([heading] + lines.map { "  " + $0 }).joined(separator: "\n")
    }

    private func columns(_ parts: [String?]) -> String {
        parts.compactMap { $0 }.joined(separator: "  ")
    }

    private func node(_ number: Int?) -> String { "node \(number.map { "\($0)" } ?? "unknown")" }

    private var processorText: String {
        let count = arenas.count
        let heading = columns([
            "cores    \(count) of \(processors.count) CPUs",
            quota.map { "control groups grant \($0) CPUs" },
        ])
        return section(
            heading,
            processors.map { processor in
                columns([
                    "CPU \(processor.cpu)", processor.node.map { "node \($0)" },
                    processor.core.map { "core \($0)" } ?? "no core", processor.choice.rawValue,
                ])
            })
    }

    private var nodeText: String {
        guard !nodes.isEmpty else { return "nodes    none: the kernel shows no NUMA" }
        return section(
            "nodes    \(nodes.count)",
            nodes.map { node in
                columns([
                    "node \(node.number)",
                    node.cpus.isEmpty ? "no CPUs" : "CPUs \(node.cpus)",
                    node.memoryBytes.map { "\($0 >> 20) MiB" },
                    node.freeBytes.map { "\($0 >> 20) MiB free" },
                ])
            })
    }

    private var storageText: String {
        let heading = "storage  \(storage.path)  \(storage.fileSystem)"
        guard let device = storage.device else {
            return section(heading, ["no block device of its own"])
        }
        let line = columns([
            device.name, device.number, node(device.node),
            device.isRotational.map { $0 ? "rotational" : "not rotational" },
            device.queueDepth.map { "queue depth \($0)" },
            device.hasWriteCache.map { $0 ? "write cache" : "no write cache" },
        ])
        return section(heading, [line] + (nearCoresText.map { [$0] } ?? []))
    }

    /// One path is one device: every core writes to it, near or not. So this is only said.
    private var nearCoresText: String? {
        guard let near = storage.coresOnItsNode else { return nil }
        let far = arenas.map(\.core).filter { !near.contains($0) }
        if far.isEmpty { return "all cores are on its node" }
        if near.isEmpty { return "no core is on its node" }
        return "on its node: \(cores(near)); elsewhere: \(cores(far))"
    }

    private func cores(_ numbers: [Int]) -> String {
        (numbers.count == 1 ? "core " : "cores ") + "\(CPUSet(numbers))"
    }

    private var networkText: String {
        guard !network.isEmpty else { return "network  no card: loopback and virtual devices only" }
        return section(
            "network",
            network.map { card in
                columns([
                    card.name, card.isUp ? "up" : "not up", node(card.node),
                    "\(card.receiveQueues) receive and \(card.sendQueues) send queues",
                    interruptText(card.interrupts),
                ])
            })
    }

    private func interruptText(_ interrupts: [NetworkDevice.Interrupt]) -> String? {
        guard !interrupts.isEmpty else { return nil }
        let places = interrupts.map { "\($0.number) on CPU \($0.cpus ?? "unknown")" }
        return "interrupts " + places.joined(separator: ", ")
    }

    private var arenaText: String {
        section(
            "arenas",
            arenas.map { arena in
                columns([
                    "core \(arena.core)", "\(Bytes(arena.bytes))",
                    arena.node.map { "node \($0)" } ?? "any node",
                    arena.isLocked ? "locked" : "not locked",
                ])
            })
    }

    private var ringText: String {
        if let refusal = ring.refusal { return section("rings    none", [refusal]) }
        func list(_ heading: String, _ names: [String]) -> String {
            heading + (names.isEmpty ? "none" : names.joined(separator: " "))
        }
        return section(
            "rings    \(ring.submissionEntries) submissions"
                + "  \(ring.completionEntries) completions",
            [
                list("setup     ", ring.setupFlags), list("features  ", ring.features),
                list("missing   ", ring.featuresMissing),
                list("operations missing  ", ring.operationsMissing),
                "zero copy  " + (ring.hasZeroCopy ? "yes" : "no: this kernel cannot"),
            ])
    }
}
