package inspect

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Report is what is known about one connection or listener at one moment.
type Report struct {
	State State
	// Local and Peer are as the socket's own family writes them: the IPv4-mapped
	// addresses of a dual-stack socket stay mapped ("::ffff:192.0.2.1"). The port
	// of a listener's Peer is 0.
	Local, Peer netip.AddrPort
	Device      uint32 // index of the interface that the socket is bound to, 0 for none; for link-local addresses their zone

	Timer    Timer
	Activity Activity
	// Settings is what getsockopt returned. A list has it if the Filter asked for it.
	Settings platform.Settings

	// Multipath: the socket is one of Multipath TCP. State is that of the connection
	// as a whole, Subflow that of the subflow which Timer and Activity are about: the
	// first, or in a list each. A list tells the two apart if the Filter asked for
	// Activity and Source is "sock_diag"; elsewhere State is that of the subflow.
	Multipath bool
	Subflow   State

	// Retries are the kernel's limits on sending again: they decide about data in
	// flight where there is no user timeout. A list has them together with Settings, [Of]
	// only while there is such data. They are the zero value where they are not known. An
	// align.Request takes them.
	Retries struct {
		Data       int           // net.ipv4.tcp_retries2: retransmissions of data, and window probes
		Orphan     int           // net.ipv4.tcp_orphan_retries: the same when no process has the socket open; 0 stands for 8
		SYN        int           // net.ipv4.tcp_syn_retries or TCP_SYNCNT: of a SYN
		LinearSYN  int           // net.ipv4.tcp_syn_linear_timeouts: those a second apart; 0 before Linux 6.5
		LongestRTO time.Duration // net.ipv4.tcp_rto_max_ms or TCP_RTO_MAX_MS: between two of them
		Multipath  time.Duration // net.mptcp.close_timeout
	}

	RecvQueue uint32 // bytes not yet read; for a listener, connections not yet accepted
	SendQueue uint32 // bytes not yet acknowledged; for a listener, its backlog

	UID    uint32
	Inode  uint32 // as in /proc/PID/fd; 0 where no process has it open
	Cookie uint64 // SO_COOKIE; 0 where Source is "/proc/net/tcp"

	// Owners are who has the socket open, as far as they are known. A list has them
	// if the Filter asked for them.
	Owners []Owner

	// What ss -e adds. A list has it if the Filter asked for Detail.
	Mark     uint32          // fwmark; shown to holders of CAP_NET_ADMIN
	CgroupID uint64          // of cgroup v2; 0 where the kernel does not tell (before 5.7)
	V6Only   platform.Answer // of a listener; platform.Unknown where it means nothing
	Shutdown string          // which directions are closed: "<->", "<--" after our FIN, "-->" after the peer's, "---"; "" for unknown

	// Source is where the state of the socket was learnt: "sock_diag"
	// (NETLINK_SOCK_DIAG), "/proc/net/tcp" where that is refused, or "" where only
	// getsockopt told anything.
	Source string
	// Unknown is why something is not known. Of a report of [Of] that is the timer,
	// or a lesser source than sock_diag had it: an error that wraps
	// [errors.ErrUnsupported] on systems that do not show it, [ErrOtherNamespace],
	// [ErrGone] or what the kernel said. In a list it is why there are no Settings:
	// see [Filter].
	Unknown error
}

// Sources of a Report.
const (
	sourceSockDiag = "sock_diag"
	sourceProcNet  = "/proc/net/tcp"
)

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

var (
	// ErrNoProbe means that no keepalive probe is due; the text says why.
	ErrNoProbe = errors.New("no keepalive probe is due")

	// ErrOtherNamespace means that the socket belongs to another network
	// namespace than the thread that asks. Its settings and activity are known
	// all the same, its timer is not.
	ErrOtherNamespace = errors.New("the socket is in another network namespace, whose timers cannot be seen from here")

	// ErrGone means that the kernel has no such connection any more: it was reset
	// or given up, and its error waits for the next Read or Write.
	ErrGone = errors.New("the connection is gone")
)

// String returns exactly what a current ss -tno prints for the socket's timer;
// see [Timer.String].
func (r Report) String() string { return r.Timer.String() }

// NextProbe returns the time until the next keepalive probe leaves, if nothing
// is sent or received before:
//
//	max(Timer.Left, Settings.Idle - Activity.SinceLastReceived())
//
// The kernel's timer is never early, and up to 1/8 of what it was set to late.
//
// The error wraps [ErrNoProbe] if none will leave as things are: keepalive is
// off, data is in flight or waits for the peer's window (retransmissions and
// window probes take over then), or the state is not one of a connection. It
// wraps [sockopt.ErrUnknown] if something that it takes is not known.
func (r Report) NextProbe() (time.Duration, error) {
	known := r.Settings.Known
	switch {
	case r.State != StateUnknown && !r.State.keepsAlive():
		return 0, fmt.Errorf("%w: the state is %v", ErrNoProbe, r.State)
	case known.Has(platform.KeepAlive) && !r.Settings.Enabled:
		return 0, fmt.Errorf("%w: keepalive is off", ErrNoProbe)
	}
	if r.Activity.Known && r.Activity.WindowClosed && r.Timer.Kind == timerUnknown {
		return 0, fmt.Errorf("%w: data waits for the peer's window, window probes decide", ErrNoProbe)
	}
	switch r.Timer.Kind {
	case timerOn:
		return 0, fmt.Errorf("%w: data is in flight, retransmissions decide", ErrNoProbe)
	case timerPersist:
		return 0, fmt.Errorf("%w: data waits for the peer's window, window probes decide", ErrNoProbe)
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
		return 0, fmt.Errorf("next probe: when the peer was heard of last is %w", sockopt.ErrUnknown)
	case r.Activity.Unacked > 0:
		return 0, fmt.Errorf("%w: data is in flight, retransmissions decide", ErrNoProbe)
	}
	return max(r.Timer.Left, r.Settings.Idle-r.Activity.SinceLastReceived(), 0), nil
}

// DetectionTime returns how long after the last segment from the peer the
// connection is given up if it stays idle; see [sockopt.Config.DetectionTime].
func (r Report) DetectionTime() (time.Duration, error) {
	return timing.DetectionTime(kernel.Current(), r.Settings)
}

// Unanswered returns how many keepalive or window probes have no answer yet,
// and whether that is known.
func (r Report) Unanswered() (n int, known bool) {
	switch {
	case r.Activity.Known:
		return r.Activity.Probes, true
	case r.Timer.Kind == timerKeepAlive, r.Timer.Kind == timerPersist:
		return r.Timer.Unanswered, true
	}
	return 0, false
}
