package inspect

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// A Source is where the state of a socket was learnt, in the order in which
// they are tried.
type Source uint8

const (
	NoSource Source = iota // nowhere: what getsockopt does not tell is unknown
	SockDiag               // NETLINK_SOCK_DIAG
	ProcNet                // /proc/thread-self/net/tcp and tcp6
)

var sourceNames = [...]string{"none", "sock_diag", "/proc/net/tcp"}

// String returns "sock_diag", "/proc/net/tcp" or "none".
func (s Source) String() string {
	if int(s) < len(sourceNames) {
		return sourceNames[s]
	}
	return fmt.Sprintf("Source(%d)", uint8(s))
}

// A Socket is one entry of the kernel's table of TCP sockets.
type Socket struct {
	Source Source
	State  State
	// Local and Peer are as the socket's own family writes them: the IPv4-mapped
	// addresses of a dual-stack socket stay mapped ("::ffff:192.0.2.1"). The port
	// of a listener's Peer is 0.
	Local, Peer netip.AddrPort
	Device      uint32 // index of the interface that the socket is bound to, 0 for none; for link-local addresses their zone
	// Subflow is the state of this subflow of Multipath TCP by itself, while State
	// is that of the connection as a whole; all else is the subflow's. StateUnknown
	// for plain TCP. A list tells the two apart if the Filter asked for Activity and
	// Source is SockDiag; elsewhere State is that of the subflow.
	Subflow State

	Timer Timer

	RecvQueue uint32 // bytes not yet read; for a listener, connections not yet accepted
	SendQueue uint32 // bytes not yet acknowledged; for a listener, its backlog

	UID    uint32
	Inode  uint32 // as in /proc/PID/fd; 0 where no process has it open
	Cookie uint64 // SO_COOKIE; 0 where Source is ProcNet

	Activity Activity
	Detail   Detail
}

// An Activity is when there was traffic, and what of it is outstanding (struct
// tcp_info). All is valid only if Known.
type Activity struct {
	Known            bool
	LastDataSent     time.Duration // ago
	LastDataReceived time.Duration // ago; since the connection was made if there was none
	LastAckReceived  time.Duration // ago
	Unacked          int           // segments in flight
	Retransmits      int           // of the segment in flight, since it was sent first
	Probes           int           // keepalive probes without an answer, or window probes whose answer is overdue
	Backoff          int           // how often the time between retransmissions or window probes was doubled
	WindowClosed     bool          // data waits for the peer's window: Probes are window probes
}

// SinceLastReceived is the time since the peer was heard of last: data or an
// acknowledgement, also of a probe.
func (a Activity) SinceLastReceived() time.Duration {
	return min(a.LastDataReceived, a.LastAckReceived)
}

// A Detail is what ss -e adds. It is there if the Filter asked for it.
type Detail struct {
	Mark     uint32          // fwmark; shown to holders of CAP_NET_ADMIN
	CgroupID uint64          // of cgroup v2; 0 where the kernel does not tell (before 5.7)
	V6Only   platform.Answer // of a listener; platform.Unknown where it means nothing
	Shutdown Shutdown        // which directions are closed
}

// A Shutdown is which directions of a connection are closed (sk_shutdown). Its
// zero value is unknown.
type Shutdown uint8

const (
	ShutdownKnown   Shutdown = 1 << 7 // the rest is known
	ShutdownReceive Shutdown = 1 << 0 // the peer sent FIN
	ShutdownSend    Shutdown = 1 << 1 // a FIN was sent
)

// String returns what ss -e prints: "<->", "<--" after our FIN, "-->" after the
// peer's, or "" for unknown.
func (s Shutdown) String() string {
	if s&ShutdownKnown == 0 {
		return ""
	}
	b := []byte("<->")
	if s&ShutdownReceive != 0 {
		b[0] = '-'
	}
	if s&ShutdownSend != 0 {
		b[2] = '-'
	}
	return string(b)
}
