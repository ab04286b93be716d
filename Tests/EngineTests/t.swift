// Placeholder until this module's tests are merged.
import Testing
