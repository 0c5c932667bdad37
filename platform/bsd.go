// The content of this file is compiled on every system.

package platform

// The BSDs and macOS have the socket level of 4.4BSD, and so have all other
// systems except Linux.
const (
	bsdSolSocket   = 0xffff
	bsdSoKeepAlive = 8
	bsdTCP         = 6
)

// What macOS and the BSDs except NetBSD do while SO_KEEPALIVE is off.
const (
	bsdAlwaysKeepAlive      = "net.inet.tcp.always_keepalive"
	mayAlwaysProbe          = "With net.inet.tcp.always_keepalive=1, which is not the default, every connection is probed even while SO_KEEPALIVE is off."
	alwaysProbesExplanation = "With net.inet.tcp.always_keepalive=1, the default, every connection is probed even while SO_KEEPALIVE is off: Disabled does not silence it."
)

func bsdKeepAlive() Spec {
	return Spec{Option: KeepAlive, Symbol: "SO_KEEPALIVE", Level: bsdSolSocket, Number: bsdSoKeepAlive,
		Min: 0, Max: 1, Zero: off, Inherited: Yes, Readable: Yes}
}
