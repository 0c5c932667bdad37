package platform

// A Kind is what protocol a socket speaks, as far as keepalive is concerned.
type Kind uint8

const (
	NotTCP       Kind = iota // keepalive means nothing here
	TCP                      // plain TCP
	MultipathTCP             // Linux MPTCP, also while it has fallen back to TCP on the wire
)

// String returns "not TCP", "TCP" or "Multipath TCP".
func (k Kind) String() string { return nameOf("Kind", uint8(k), "not TCP", "TCP", "Multipath TCP") }

// KindOf asks the kernel what fd is. It exists because SO_KEEPALIVE "succeeds"
// on unix, UDP and raw sockets.
func KindOf(k Kernel, fd uintptr) (Kind, error) { return kindOf(k, fd) }
