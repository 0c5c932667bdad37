// Package sockdiag asks the Linux kernel for the live state of a TCP socket:
// its timer, which no socket option tells (NETLINK_SOCK_DIAG, linux/inet_diag.h).
package sockdiag

import (
	"fmt"
	"net/netip"
	"time"
)

// A TimerKind is which of a socket's timers is going to fire.
type TimerKind uint8

const (
	Off       TimerKind = iota // none is armed
	On                         // retransmission, also of a SYN, or a loss probe
	KeepAlive                  // the next probe, or FIN_WAIT2 of a closed socket
	TimeWait                   // the end of TIME_WAIT
	Persist                    // the next zero window probe
	Delack                     // a delayed acknowledgement (Linux 7.1)
)

// String returns the name that ss prints.
func (k TimerKind) String() string {
	names := [...]string{"off", "on", "keepalive", "timewait", "persist", "delack"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("unknown(%d)", uint8(k))
}

// A Socket is the kernel's answer about one TCP socket.
type Socket struct {
	State  uint8 // include/net/tcp_states.h: 1 is ESTABLISHED
	Local  netip.AddrPort
	Remote netip.AddrPort

	Timer TimerKind
	// Left is the time until the timer's tick. Traffic does not push a keepalive
	// timer: when it fires, the kernel looks whether a probe is due.
	Left time.Duration
	// Unanswered counts retransmissions where Timer is On, otherwise keepalive or
	// window probes without an answer.
	Unanswered int

	UID    uint32
	Inode  uint32
	Cookie uint64 // SO_COOKIE
}
