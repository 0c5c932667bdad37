package inspect

import (
	"time"

	"github.com/tcpkeepalive/keepalive/internal/ss"
)

// A Timer is the kernel's live timer of one socket. Its zero value is unknown.
type Timer struct {
	// Kind is which of the socket's timers fires next, by the name that ss prints. Linux
	// shows only one timer: a running keepalive timer is hidden while a retransmission or
	// a window probe is due.
	//
	//	""          unknown; see [Report.Unknown]
	//	"off"       no timer is running
	//	"on"        retransmission, of data or of a SYN, or a loss probe
	//	"keepalive" keepalive, or the end of FIN-WAIT-2 of a socket that no process has open
	//	"timewait"  the end of TIME-WAIT
	//	"persist"   the next window probe to a peer whose window is zero
	//	"delack"    a delayed acknowledgement (Linux 7.1)
	Kind string
	// Left is the time until the timer fires, with a resolution of milliseconds.
	// Traffic does not reset a keepalive timer; see [Report.NextProbe].
	Left time.Duration
	// Unanswered counts retransmissions if Kind is "on", otherwise unanswered
	// keepalive or window probes. The kernel counts to 255.
	Unanswered int
}

// timerKinds is indexed by the kernel's number (inet_sk_diag_fill in net/ipv4/inet_diag.c).
var timerKinds = [...]string{timerOff, timerOn, timerKeepAlive, timerTimeWait, timerPersist, timerDelAck}

const (
	timerUnknown   = ""
	timerOff       = "off"
	timerOn        = "on"
	timerKeepAlive = "keepalive"
	timerTimeWait  = "timewait"
	timerPersist   = "persist"
	timerDelAck    = "delack"
)

func timerKind(n uint8) string {
	if int(n) < len(timerKinds) {
		return timerKinds[n]
	}
	return timerUnknown
}

// String returns exactly what a current ss -tno prints for the timer:
// "timer:(keepalive,1min39sec,0)", an empty string if no timer is running, and
// "timer:(unknown)", which ss never prints, if the timer is not known.
func (t Timer) String() string {
	return string(ss.AppendTimer(nil, t.Kind, t.Left, t.Unanswered, false))
}
