/// Two networks and a link between them that is as slow, as long and as bad as it is told to be.

import BenchMachine
import IO

/// The kernel's token bucket (tc-tbf(8)) makes its rate, in each direction, with a buffer of one
/// bandwidth-delay product, or the relay does (`LinkCharacter.isNarrowBeyond`); that makes its
/// length and its failures. Both ends are the kernel's
/// TCP, so what TCP_INFO tells of the link is what it is.
public final class RealLink: Sendable {
    public let client: NetworkNamespace
    public let server: NetworkNamespace
    public let relay: PacketRelay
    /// What both ends have.
    public let congestionControl: String

    public static let serverAddress = "10.77.1.1"
    public static let serverNumber: UInt32 = 0x0a4d_0101
    public static let clientAddress = "10.77.2.2"
    private static let device = "lab0"

    /// Why there is no lab.
    public struct Refusal: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    public init(_ link: LinkCharacter, seed: UInt64, congestionControl: String) throws(Refusal) {
        try RealLink.requireMeans()
        do {
            let networks = (client: try NetworkNamespace(), server: try NetworkNamespace())
            let clientDevice = try TunDevice(named: RealLink.device, in: networks.client)
            let serverDevice = try TunDevice(named: RealLink.device, in: networks.server)
            for (network, own, other) in [
                (networks.client, RealLink.clientAddress, RealLink.serverAddress),
                (networks.server, RealLink.serverAddress, RealLink.clientAddress),
            ] {
                try RealLink.furnish(network, own, other, link)
                try RealLink.set(network, "tcp_congestion_control", congestionControl)
                // What one upload has learned of the link is nothing that the next may know.
                try RealLink.set(network, "tcp_no_metrics_save", "1")
            }
            (client, server) = networks
            self.congestionControl = try RealLink.control(of: networks.server)
            relay = try PacketRelay(
                link, seed: seed, client: clientDevice, server: serverDevice)
        } catch let error as KernelError {
            throw Refusal(description: "no networks of their own: errno \(error.code)")
        } catch {
            throw Refusal(description: "no link between two networks: \(error)")
        }
    }

    deinit { relay.stop() }

    /// Carries nothing more; the networks go with this object.
    public func stop() { relay.stop() }

    /// Root, programs, and a kernel with what they need: in words, what is missing.
    public static func requireMeans() throws(Refusal) {
        guard Limits.isRoot else {
            throw Refusal(description: "networks of their own need root")
        }
        guard TextFile.names(in: "/dev/net").contains("tun") else {
            throw Refusal(description: "there is no /dev/net/tun (modprobe tun)")
        }
        for program in ["ip", "tc", "nsenter"] {
            do throws(ChildProgram.Failure) { try ChildProgram.run(program, ["-V"]) } catch {
                throw Refusal(
                    description: "\(error) (apt-get install iproute2 util-linux)")
            }
        }
    }

    private static func furnish(
        _ network: NetworkNamespace, _ own: String, _ other: String, _ link: LinkCharacter
    ) throws(ChildProgram.Failure) {
        let bytesPerSecond = link.megabitsPerSecond / 8 * 1e6
        let kilobits = Int(link.megabitsPerSecond * 1000)
        // As much as comes in 5 ms: no timer of the kernel is coarser.
        let burst = max(16 << 10, Int(bytesPerSecond / 200))
        var commands = [
            "ip link set lo up",
            "ip address add \(own) peer \(other) dev \(device)",
            "ip link set \(device) mtu \(TunDevice.packetBytesMax) txqueuelen 1000 up",
        ]
        if !link.isNarrowBeyond {
            commands.append(
                "tc qdisc add dev \(device) root tbf rate \(kilobits)kbit burst \(burst)"
                    + " limit \(link.bufferBytes + burst)")
        }
        for command in commands {
            let words = network.entrance + command.split(separator: " ").map(String.init)
            try ChildProgram.run(words[0], Array(words.dropFirst()))
        }
    }

    private static let settings = "/proc/sys/net/ipv4/"

    private static func set(
        _ network: NetworkNamespace, _ name: String, _ value: String
    ) throws {
        try network.inside { try TextFile.write(value, to: settings + name) }
    }

    private static func control(of network: NetworkNamespace) throws -> String {
        let text = try network.inside { TextFile.read(settings + "tcp_congestion_control") }
        return String((text ?? "unknown").prefix { !$0.isWhitespace })
    }
}
