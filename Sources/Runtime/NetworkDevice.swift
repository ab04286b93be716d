/// A network card: its queues, and which CPUs they interrupt.

public struct NetworkDevice: Equatable, Sendable, Encodable {
    public struct Interrupt: Equatable, Sendable, Encodable {
        public var number: Int
        /// A CPU list; nil if it cannot be read.
        public var cpus: String?
    }

    public var name: String
    public var isUp: Bool
    /// Nil where the kernel knows none.
    public var node: Int?
    public var receiveQueues: Int
    public var sendQueues: Int
    public var interrupts: [Interrupt]

    /// Those behind which there is hardware, or what a virtual machine takes for it.
    static func all(_ files: SystemFiles = .real) -> [NetworkDevice] {
        files.list("/sys/class/net").compactMap { read($0, files) }
    }

    private static func read(_ name: String, _ files: SystemFiles) -> NetworkDevice? {
        let place = "/sys/class/net/\(name)"
        guard !files.list("\(place)/device").isEmpty else { return nil }
        let queues = files.list("\(place)/queues")
        // A virtio card is a part of the device that has the interrupts.
        let numbers = ["device/msi_irqs", "device/../msi_irqs"]
            .map { files.list("\(place)/\($0)").compactMap { Int($0) }.sorted() }
            .first { !$0.isEmpty }
        return NetworkDevice(
            name: name, isUp: files.read("\(place)/operstate")?.trimmed == "up",
            node: files.node(ofDeviceAt: "\(place)/device"),
            receiveQueues: queues.count { $0.hasPrefix("rx-") },
            sendQueues: queues.count { $0.hasPrefix("tx-") },
            interrupts: (numbers ?? []).map { interrupt($0, files) })
    }

    /// Where it goes, which may be less than where it may go.
    private static func interrupt(_ number: Int, _ files: SystemFiles) -> Interrupt {
        let cpus = ["effective_affinity_list", "smp_affinity_list"].lazy
            .compactMap { files.read("/proc/irq/\(number)/\($0)")?.trimmed }
            .first { !$0.isEmpty }
        return Interrupt(number: number, cpus: cpus)
    }
}
