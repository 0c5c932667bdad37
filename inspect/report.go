package inspect

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Report is what is known about one connection or listener at one moment.
type Report struct {
	State State
	// Local and Peer are in the socket's own address family: the IPv4-mapped
	// addresses of a dual-stack socket stay mapped ("::ffff:192.0.2.1"). The
	// port of a listener's Peer is 0.
	Local, Peer netip.AddrPort
	Device      uint32 // index of the interface to which the socket is bound, 0 for none; the zone of a link-local address

	Timer    Timer
	Activity Activity
	// Settings is what getsockopt returned. List fills it in if the Filter asks for it.
	Settings platform.Settings

	// Multipath means that the socket uses Multipath TCP. State is then that of the
	// connection as a whole, and Subflow that of the subflow to which Timer and Activity
	// belong. [Of] reports on the first subflow; List has a report for each. A list has
	// both fields only if the Filter asks for Activity and Source is "sock_diag";
	// otherwise State is that of the subflow.
	Multipath bool
	Subflow   State

	// Retries are the kernel's limits on retransmission. They apply to data in flight when
	// there is no user timeout. [Of] reads them only while there is such data, a list
	// together with Settings. nil: not read, or unknown. An align.Request takes them.
	Retries *platform.Retries

	RecvQueue uint32 // bytes not yet read; for a listener, connections not yet accepted
	SendQueue uint32 // bytes not yet acknowledged; for a listener, its backlog

	UID    uint32
	Inode  uint32 // as in /proc/PID/fd; 0 if no process has it open
	Cookie uint64 // SO_COOKIE; 0 if Source is "/proc/net/tcp"

	// Owners are the known owners of the socket. List fills them in if the Filter asks for
	// them.
	Owners []Owner

	// What ss -e adds. List fills it in if the Filter asks for Detail.
	Mark     uint32          // fwmark; visible only with CAP_NET_ADMIN
	CgroupID uint64          // of cgroup v2; 0 where the kernel does not report it (before 5.7)
	V6Only   platform.Answer // of a listener; platform.Unknown for other sockets
	Shutdown string          // closed directions: "<->" none, "<--" after our FIN, "-->" after the peer's, "---" both; "" if unknown

	// Source is where the state of the socket comes from: "sock_diag"
	// (NETLINK_SOCK_DIAG), "/proc/net/tcp" where that is refused, or "" where
	// only getsockopt worked.
	Source string
	// Unknown is the reason why something is not known. In a report of [Of] it explains
	// why the timer is unknown, or why it comes from a source other than sock_diag: the
	// error wraps [errors.ErrUnsupported] on systems that do not show timers,
	// [ErrOtherNamespace], [ErrGone] or the kernel's error. In a list it explains why
	// there are no Settings: see [Filter].
	Unknown error
}

// Sources of a Report.
const (
	sourceSockDiag = "sock_diag"
	sourceProcNet  = "/proc/net/tcp"
)

// An Activity says when there was traffic, and how much of it is unacknowledged
// (struct tcp_info). Its fields are valid only if Known is set.
type Activity struct {
	Known            bool
	LastDataSent     time.Duration // ago
	LastDataReceived time.Duration // ago; the age of the connection if it never received data
	LastAckReceived  time.Duration // ago
	Unacked          int           // segments in flight
	Retransmits      int           // of the oldest segment in flight
	Probes           int           // unanswered keepalive probes, or window probes whose answer is overdue
	Backoff          int           // how often the time between retransmissions or window probes was doubled
	WindowClosed     bool          // data waits for the peer's window: Probes are window probes
}

// SinceLastReceived returns the time since the last segment from the peer: data
// or an acknowledgement, including the answer to a probe.
func (a Activity) SinceLastReceived() time.Duration {
	return min(a.LastDataReceived, a.LastAckReceived)
}

var (
	// ErrNoProbe means that no keepalive probe is due; the text says why.
	ErrNoProbe = errors.New("no keepalive probe is due")

	// ErrOtherNamespace means that the socket belongs to a different network
	// namespace from the calling thread. Its settings and activity are known,
	// but its timer is not.
	ErrOtherNamespace = errors.New("the socket is in another network namespace, whose timers cannot be seen from here")

	// ErrGone means that the kernel no longer has the connection: it was reset
	// or given up, and the next Read or Write returns the error.
	ErrGone = errors.New("the connection is gone")
)

// String returns the state, the addresses, the settings and the timer, in one line:
// "ESTAB 10.0.0.1:51634 -> 10.0.0.2:5432 on idle=60s interval=10s count=3
// user-timeout=off timer:(keepalive,41sec,0)". What is not known is left out.
func (r Report) String() string {
	var words []string
	if r.State != StateUnknown {
		words = append(words, r.State.String())
	}
	if r.Local.IsValid() {
		words = append(words, r.Local.String())
	}
	if r.Peer.IsValid() && r.State != Listen {
		words = append(words, "->", r.Peer.String())
	}
	if r.Settings.Known != 0 {
		words = append(words, r.Settings.String())
	}
	if timer := r.Timer.String(); timer != "" {
		words = append(words, timer)
	}
	return strings.Join(words, " ")
}

// NextProbe returns the time until the next keepalive probe is sent, if nothing
// is sent or received before:
//
//	max(Timer.Left, Settings.Idle - Activity.SinceLastReceived())
//
// The kernel's timer is never early, and late by up to 1/8 of the time it was
// set to.
//
// The error wraps [ErrNoProbe] if no probe is due: keepalive is off, data is in
// flight or waits for the peer's window (then retransmissions and window probes
// take over), or the socket is not in a connected state. It wraps
// [sockopt.ErrUnknown] if a value that is needed is not known.
func (r Report) NextProbe() (time.Duration, error) {
	d, err := r.nextProbe()
	return d, named(err)
}

var (
	errInFlight = fmt.Errorf("%w: data is in flight, retransmissions decide", ErrNoProbe)
	errWindow   = fmt.Errorf("%w: data waits for the peer's window, window probes decide", ErrNoProbe)
)

func (r Report) nextProbe() (time.Duration, error) {
	known := r.Settings.Known
	switch {
	case r.State != StateUnknown && !r.State.keepsAlive():
		return 0, fmt.Errorf("%w: the state is %v", ErrNoProbe, r.State)
	case known.Has(platform.KeepAlive) && !r.Settings.Enabled:
		return 0, fmt.Errorf("%w: keepalive is off", ErrNoProbe)
	}
	if r.Activity.Known && r.Activity.WindowClosed && r.Timer.Kind == timerUnknown {
		return 0, errWindow
	}
	switch r.Timer.Kind {
	case timerOn:
		return 0, errInFlight
	case timerPersist:
		return 0, errWindow
	case timerKeepAlive:
	case timerOff:
		if known.Has(platform.KeepAlive) {
			return 0, fmt.Errorf("next probe: keepalive is on, yet no timer is shown: it is %w", sockopt.ErrUnknown)
		}
		return 0, fmt.Errorf("%w: no timer runs", ErrNoProbe)
	default:
		return 0, fmt.Errorf("next probe: the timer is %w", sockopt.ErrUnknown)
	}
	switch {
	case !known.Has(platform.KeepAlive):
		return 0, fmt.Errorf("next probe: whether keepalive is on is %w", sockopt.ErrUnknown)
	case !known.Has(platform.Idle):
		return 0, fmt.Errorf("next probe: the idle time is %w", sockopt.ErrUnknown)
	case !r.Activity.Known:
		return 0, fmt.Errorf("next probe: when the last segment arrived is %w", sockopt.ErrUnknown)
	case r.Activity.Unacked > 0:
		return 0, errInFlight
	}
	return max(r.Timer.Left, r.Settings.Idle-r.Activity.SinceLastReceived(), 0), nil
}

// DetectionTime returns how long after the last segment from the peer an idle
// connection is given up; see [sockopt.Config.DetectionTime].
func (r Report) DetectionTime() (time.Duration, error) {
	d, err := timing.DetectionTime(kernel.Current(), r.Settings)
	return d, named(err)
}

// Unanswered returns the number of unanswered keepalive or window probes, and
// whether that is known.
func (r Report) Unanswered() (n int, known bool) {
	switch {
	case r.Activity.Known:
		return r.Activity.Probes, true
	case r.Timer.Kind == timerKeepAlive, r.Timer.Kind == timerPersist:
		return r.Timer.Unanswered, true
	}
	return 0, false
}
