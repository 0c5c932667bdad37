package inspect

import (
	"time"

	"github.com/tcpkeepalive/keepalive/internal/ss"
)

// A Timer is the kernel's live timer of one socket. Its zero value is unknown.
type Timer struct {
	// Kind is which of the socket's timers fires next, by the name that ss prints.
	// Linux shows one: a keepalive timer that runs is hidden while a retransmission
	// or a window probe is due.
	//
	//	""          unknown; see [Report.Unknown]
	//	"off"       none runs
	//	"on"        retransmission, of data or of a SYN, or a loss probe
	//	"keepalive" keepalive, or the end of FIN-WAIT-2 of a socket that nobody has open
	//	"timewait"  the end of TIME-WAIT
	//	"persist"   the next probe of a peer whose window is zero
	//	"delack"    a delayed acknowledgement (Linux 7.1)
	Kind string
	// Left is the time until the kernel looks what is to be done, in
	// milliseconds. Traffic does not push a keepalive timer; see
	// [Report.NextProbe].
	Left time.Duration
	// Unanswered counts retransmissions where Kind is "on", otherwise keepalive or
	// window probes without an answer. The kernel counts to 255.
	Unanswered int
}

// timerKinds are by the kernel's number (inet_sk_diag_fill in net/ipv4/inet_diag.c).
var timerKinds = [...]string{timerOff, timerOn, timerKeepAlive, "timewait", timerPersist, "delack"}

const (
	timerUnknown   = ""
	timerOff       = "off"
	timerOn        = "on"
	timerKeepAlive = "keepalive"
	timerPersist   = "persist"
)

func timerKind(n uint8) string {
	if int(n) < len(timerKinds) {
		return timerKinds[n]
	}
	return timerUnknown
}

// String returns exactly what a current ss -tno prints for the timer:
// "timer:(keepalive,1min39sec,0)", nothing where none runs, and
// "timer:(unknown)", which ss never prints, where it is not known.
func (t Timer) String() string {
	return string(ss.AppendTimer(nil, t.Kind, t.Left, t.Unanswered, false))
}
