package inspect

import (
	"errors"
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Explain describes in words what the state of the connection means for
// keepalive: when the next probe is sent, when the peer is given up, or why
// neither will happen. The text is for people and may change between versions.
func (r Report) Explain() string {
	switch r.State {
	case Listen:
		return "a listener: " + inherited(r.Settings)
	case Closed:
		return "the connection is gone: reset, or its peer was given up; the next Read or Write says which"
	case SynSent:
		return "connecting: keepalive starts with the connection"
	case SynReceived:
		return "the handshake is not complete: keepalive starts with the connection"
	case TimeWait:
		return "closed on both sides: the kernel keeps it for late segments"
	}
	if r.State == FinWait2 && r.Timer.Kind == timerKeepAlive && r.Source == sourceSockDiag && r.Inode == 0 {
		return "closed here, nobody has it open: the kernel drops it in " + duration.Passing(r.Timer.Left)
	}
	if s := r.flight(); s != "" {
		return s
	}
	return r.probing()
}

// flight describes outstanding data, which suspends keepalive.
func (r *Report) flight() string {
	a := r.Activity
	switch {
	case r.Timer.Kind == timerPersist, a.Known && a.WindowClosed:
		return r.windowProbing()
	case r.Timer.Kind == timerOn && r.Timer.Unanswered > 0, a.Known && a.Retransmits > 0:
		n := max(r.Timer.Unanswered, a.Retransmits)
		return fmt.Sprintf("data is in flight, %s: no probe is sent; ", count(n, "retransmission")) + r.untilGivenUp()
	case r.Timer.Kind == timerOn, a.Known && a.Unacked > 0:
		return "data is in flight: no probe is sent; " + r.untilGivenUp()
	}
	return ""
}

// windowProbing describes a closed window. A peer that does not read answers
// every window probe, so the kernel goes on for ever unless there is a user
// timeout (tcp_probe_timer in net/ipv4/tcp_timer.c).
func (r *Report) windowProbing() string {
	known, timeout := r.Settings.Known.Has(platform.UserTimeout), r.Settings.UserTimeout
	if n, _ := r.Unanswered(); n > 0 {
		return fmt.Sprintf("the peer's window is zero, %s unanswered; ", count(n, "window probe")) + r.untilGivenUp()
	}
	s := "the peer's window is zero, and it answers: it does not read; "
	switch {
	case !known:
		return s + "whether a user timeout ends that is unknown"
	case timeout > 0:
		return s + "the user timeout of " + duration.Seconds(timeout) + " ends that all the same"
	}
	return s + "it is not given up for that"
}

// untilGivenUp says which limit applies while data is outstanding.
func (r *Report) untilGivenUp() string {
	timeout := r.Settings.UserTimeout
	switch {
	case !r.Settings.Known.Has(platform.UserTimeout):
		return "how long it is tried is unknown"
	case timeout > 0:
		return "the user timeout of " + duration.Seconds(timeout) + " decides"
	}
	if r.Inode == 0 && r.Source == sourceSockDiag { // no process has it open
		return r.decides("tcp_orphan_retries", func(l kernel.Retries) (int, time.Duration) { return l.Orphan, l.OrphanTimeout() })
	}
	return r.decides("tcp_retries2", func(l kernel.Retries) (int, time.Duration) { return l.Data, l.DataTimeout() })
}

// decides names the limit and, if known, its value on this machine and the
// shortest time that it stands for. Depending on the path, it takes up to twice
// that time.
func (r *Report) decides(name string, of func(kernel.Retries) (int, time.Duration)) string {
	if r.Retries == nil {
		return "net.ipv4." + name + " decides, which is unknown"
	}
	n, timeout := of(kernel.Retries(*r.Retries))
	s := fmt.Sprintf("net.ipv4.%s=%d decides, ", name, n)
	if r.Timer.Kind == timerPersist || r.Activity.WindowClosed {
		return s + "so many unanswered in a row"
	}
	return s + "not before " + duration.Passing(timeout)
}

// probing describes keepalive itself, which waits while flight has something to say.
func (r *Report) probing() string {
	next, err := r.nextProbe()
	n, _ := r.Unanswered()
	switch {
	case err == nil && n > 0:
		return fmt.Sprintf("%s unanswered, next in %s; %s", count(n, "probe"), duration.Passing(next), r.givenUp())
	case err == nil:
		return "next probe in " + duration.Passing(next) + "; " + r.givenUp()
	case r.Settings.Known.Has(platform.KeepAlive) && !r.Settings.Enabled:
		return r.givenUp()
	case errors.Is(err, ErrNoProbe):
		return err.Error()
	}
	return r.whyUnknown(err) + "; " + r.givenUp()
}

func (r *Report) whyUnknown(err error) string {
	if r.Unknown != nil && r.Timer.Kind == timerUnknown {
		return "when the next probe leaves is unknown: " + r.Unknown.Error()
	}
	return err.Error()
}

// givenUp returns the detection time in words.
func (r *Report) givenUp() string {
	d, err := timing.DetectionTime(kernel.Current(), r.Settings)
	switch {
	case errors.Is(err, sockopt.ErrNeverDetected):
		return sockopt.ErrNeverDetected.Error()
	case err != nil:
		return "when the peer is given up is unknown: " + err.Error()
	}
	return "the peer is given up " + duration.Passing(d) + " after its last answer"
}

// inherited says what the settings of a listener mean for its connections.
func inherited(s platform.Settings) string {
	d, err := timing.DetectionTime(kernel.Current(), s)
	switch {
	case errors.Is(err, sockopt.ErrNeverDetected):
		return "keepalive is off"
	case err != nil:
		return err.Error()
	}
	return "connections that inherit this give a peer up " + duration.Passing(d) + " after its last answer"
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
