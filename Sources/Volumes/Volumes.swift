import Checksums
