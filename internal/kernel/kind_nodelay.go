//go:build !linux && !darwin && !dragonfly

package kernel

// The option that kindOf reads.
const (
	tcpOnly       = tcpNoDelay
	tcpOnlySymbol = "TCP_NODELAY"
)
