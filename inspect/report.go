package inspect

import (
	"errors"
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Report is what is known about one connection at one moment.
type Report struct {
	Socket
	// Multipath: the connection is of Multipath TCP; the timer is that of its first
	// subflow.
	Multipath bool
	Settings  platform.Settings // what getsockopt returned
	// Retries are the kernel's limits on sending again: they decide about data in
	// flight where there is no user timeout. They are read only while there is some,
	// and are the zero value where they are not known.
	Retries kernel.Retries
	// Unknown is why the timer is not known, or comes from a lesser source than
	// sock_diag: an error that wraps [errors.ErrUnsupported] on systems that do
	// not show it, [ErrOtherNamespace], [ErrGone] or what the kernel said.
	Unknown error
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
	if r.Activity.Known && r.Activity.WindowClosed && r.Timer.Kind == TimerUnknown {
		return 0, fmt.Errorf("%w: data waits for the peer's window, window probes decide", ErrNoProbe)
	}
	switch r.Timer.Kind {
	case TimerOn:
		return 0, fmt.Errorf("%w: data is in flight, retransmissions decide", ErrNoProbe)
	case TimerPersist:
		return 0, fmt.Errorf("%w: data waits for the peer's window, window probes decide", ErrNoProbe)
	case TimerKeepAlive:
	case TimerOff:
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
	case r.Timer.Kind == TimerKeepAlive, r.Timer.Kind == TimerPersist:
		return r.Timer.Unanswered, true
	}
	return 0, false
}
