package discover

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Result is what a measurement found. [Result.Err] says whether it is an answer.
type Result struct {
	// Alive is the longest silence that all connections survived, apart from
	// [Result.Outliers].
	Alive time.Duration
	// Dead is the shortest silence that connections did not survive. It is 0 if none
	// died, and if connections disagree.
	Dead time.Duration
	// End says how the connection of Dead, or of SomeDead, ended. It is one of the
	// words of [Test], or "" if none died.
	End string
	// SomeDead is not 0 if connections disagree: some died after this silence, and
	// others survived longer ones, up to SomeAlive. Then there are several timeouts
	// behind this address, as of several servers, and there may be a shorter one.
	SomeDead, SomeAlive time.Duration
	// MaskedBy is the period in which the peer sent something by itself, so that no
	// longer timeout can be seen. It is 0 if the peer sent nothing, or not
	// periodically.
	MaskedBy time.Duration
	// MaskUnknown says that this system does not tell whether the peer sent anything.
	MaskUnknown bool
	// Tests has the outcome for every connection that was tested, in the order in
	// which the tests ended.
	Tests []Test
	// Took is how long the measurement took.
	Took time.Duration

	tried time.Duration // the longest silence that was to be tried
}

// A Test is the outcome for one connection.
type Test struct {
	// Idle is how long the connection was silent until it was tested, or until it
	// ended. If the peer kept the connection alive, Idle is the longest silence.
	Idle time.Duration
	// Late is how much sooner than after Idle the connection may have ended. A process
	// that gets no processor, or is stopped, sees an RST late.
	Late time.Duration
	// End says how the test ended:
	//
	//   - "alive": the connection works.
	//   - "closed (FIN) while idle": FIN came by itself.
	//   - "reset (RST) while idle": RST came by itself.
	//   - "forgotten: RST on the next packet": RST answered the first packet after the
	//     silence.
	//   - "closed (FIN) on the next packet": FIN answered that packet. Its sender still
	//     knew the connection.
	//   - "forgotten: silent drop": nothing answered that packet.
	//   - "acknowledged, but not answered": the packet was acknowledged, and no answer
	//     came. A proxy may have lost the connection behind it, or a program may hang.
	//   - "kept alive by the peer": the peer sent something again and again. The test
	//     says nothing about longer silences.
	//   - "failed": the connection could not be made, was not answered at its beginning,
	//     or ended on this side. The test says nothing about the path.
	End string
	// Err is why the test failed, nil if it did not fail.
	Err error
}

// Survived reports whether the connection worked after the silence.
func (t Test) Survived() bool { return t.End == endSurvived }

// Died reports whether the path or the peer gave the connection up. A test that failed,
// or whose connection the peer kept alive, neither survived nor died.
func (t Test) Died() bool { return isDead(t.End) }

const (
	endSurvived    = "alive"
	endClosed      = "closed (FIN) while idle"
	endReset       = "reset (RST) while idle"
	endResetOnUse  = "forgotten: RST on the next packet"
	endClosedOnUse = "closed (FIN) on the next packet"
	endNoAnswer    = "forgotten: silent drop"
	endUnanswered  = "acknowledged, but not answered"
	endMasked      = "kept alive by the peer"
	endFailed      = "failed"
)

// isDead reports whether a connection with this end was given up by the path or the peer.
func isDead(end string) bool {
	switch end {
	case endClosed, endReset, endResetOnUse, endClosedOnUse, endNoAnswer, endUnanswered:
		return true
	}
	return false
}

// endsByItself reports whether a connection with this end was ended while it was idle.
func endsByItself(end string) bool { return end == endClosed || end == endReset }

// set copies the bounds into the result.
func (r *Result) set(b bounds) {
	r.Alive, r.Dead, r.End, r.SomeDead, r.SomeAlive = b.alive, b.dead, b.end, 0, 0
	switch {
	case b.disagreed:
		r.Dead, r.SomeDead, r.SomeAlive = 0, b.dead, b.longest
	case b.byItself():
		r.Alive = b.dead - b.late
	}
}

// masked reports whether a peer kept a connection alive.
func (r *Result) masked() bool {
	return r.MaskedBy > 0 || slices.ContainsFunc(r.Tests, func(t Test) bool { return t.End == endMasked })
}

// failure returns the error of the last test that failed.
func (r *Result) failure() (err error) {
	for _, t := range r.Tests {
		if t.End == endFailed {
			err = t.Err
		}
	}
	return err
}

// Outliers returns how many connections died although others survived longer silences, and
// are left out because they are so few, see [Result.Err]. They died for another reason, or
// by a timeout that few connections have.
func (r *Result) Outliers() int {
	if r.SomeDead > 0 {
		return 0
	}
	return outliers(r.Tests, r.Alive)
}

// untested counts the connections that neither survived nor died, and returns why the last
// did not.
func (r *Result) untested() (n int, why string) {
	for _, t := range r.Tests {
		switch {
		case t.Survived() || t.Died():
			continue
		case t.Err != nil:
			why = t.Err.Error()
		default:
			why = "the peer kept the path alive, it sent something" + r.period()
		}
		n++
	}
	return n, why
}

// Err returns nil if the result is an answer: connections die between Alive and Dead, or
// all connections survived the longest silence that was to be tried. Otherwise the error says
// why the timeout is not known, and wraps [sockopt.ErrUnknown].
//
// There is one timeout if, apart from one connection alone or fewer than one in twenty, all
// could be tested, and none survived a silence that is longer by 5 %, and at least 0.2 s,
// than one that others did not survive.
func (r *Result) Err() error {
	if err := r.err(); err != nil {
		return fmt.Errorf("discover: %w", err)
	}
	return nil
}

// err says why the timeout is not known.
func (r *Result) err() error {
	why := ""
	untested, reason := r.untested()
	switch {
	case r.SomeDead > 0:
		why = fmt.Sprintf("some connections ended after %s (%s), others survived %s: there are several timeouts behind this address, as of several servers",
			rounded(r.SomeDead), r.End, rounded(r.SomeAlive))
	case r.Dead > 0 && r.Alive == 0:
		why = fmt.Sprintf("no connection survived the shortest silence that was tried, %s: %s; shorter ones were not tried", rounded(r.Dead), r.End)
	case r.Dead > 0 && deaths(r.Tests, r.Alive) == 1:
		why = fmt.Sprintf("only one connection ended, after %s (%s), which may have another reason", rounded(r.Dead), r.End)
	case r.Dead == 0 && r.masked():
		why = "the peer keeps the path alive, it sends something" + r.period()
	case r.Dead == 0 && r.MaskUnknown:
		why = "whether the peer kept the path alive, this system does not tell"
	case r.Dead == 0 && r.Alive < r.tried:
		why = "longer was not tried"
		if err := r.failure(); err != nil {
			why += ": " + err.Error()
		}
	case !accidental(untested, len(r.Tests)):
		return unknown{fmt.Sprintf("not known: %d of %d connections could not be tested: %s; the others: %s", untested, len(r.Tests), reason, r.figure())}
	default:
		return nil
	}
	if r.SomeDead == 0 && r.Alive > 0 {
		why = fmt.Sprintf("not below %s; %s", rounded(r.Alive), why)
	}
	return unknown{"not known: " + why}
}

// rounded formats a silence. Hundredths of a second are what can be measured of it.
func rounded(d time.Duration) string { return duration.Seconds(d.Round(10 * time.Millisecond)) }

// period says how often the peer sends something.
func (r *Result) period() string {
	switch {
	case r.MaskedBy == 0:
		return " by itself"
	case r.MaskedBy < 10*time.Millisecond:
		return " all the time"
	}
	return " every " + rounded(r.MaskedBy)
}

// An unknown says why a timeout is not known.
type unknown struct{ why string }

func (u unknown) Error() string { return u.why }
func (u unknown) Unwrap() error { return sockopt.ErrUnknown }

// String returns a sentence: "between 348s and 352s: forgotten: silent drop".
func (r *Result) String() string {
	if err := r.err(); err != nil {
		return err.Error()
	}
	return r.figure()
}

// figure says in words what was found.
func (r *Result) figure() string {
	switch {
	case r.Dead > 0 && endsByItself(r.End) && float64(r.Dead-r.Alive) <= precision*float64(r.Dead):
		return fmt.Sprintf("after %s: %s", rounded(r.Dead), r.End)
	case r.Dead > 0:
		return fmt.Sprintf("between %s and %s: %s", rounded(r.Alive), rounded(r.Dead), r.End)
	}
	return fmt.Sprintf("not below %s, the longest that was tried", rounded(r.Alive))
}

// Profile returns a profile for plans, whose timeout is Alive. It assumes that keepalive
// probes refresh the path, unless the connection ended by FIN, by RST while idle, or
// without an answer to what was acknowledged. These ends come from a server or a proxy,
// which only data keeps from ending the connection.
//
// If no connection died, or [Result.Err] says that the timeout is not known, the error
// wraps [sockopt.ErrUnknown].
func (r *Result) Profile(id string) (align.Profile, error) {
	why := r.err()
	if why == nil && r.Dead == 0 {
		why = unknown{"not known: " + r.String()}
	}
	if why != nil {
		return align.Profile{}, fmt.Errorf("discover: the timeout of %s is %w", id, why)
	}
	p := align.Profile{
		ID: id, Provider: "measured", Product: r.String(), Layer: "L4",
		Timeout: r.Alive, ExpiryText: r.End,
		Refreshed: platform.Yes, RefreshedEvidence: "inferred",
	}
	switch r.End {
	case endClosed, endClosedOnUse:
		p.Expiry, p.Refreshed, p.Layer = "closed", platform.No, "L4/L7 proxy"
	case endReset:
		p.Expiry, p.Refreshed, p.Layer = "RST to both ends", platform.No, "L4/L7 proxy"
	case endUnanswered:
		p.Expiry, p.Refreshed, p.Layer = "silent drop", platform.No, "L4/L7 proxy"
	case endResetOnUse:
		p.Expiry = "silent, RST on next packet"
	case endNoAnswer:
		p.Expiry = "silent drop"
	default: // a Result that Run has not made
		return align.Profile{}, fmt.Errorf("discover: the end %q of %s is not one that ends a connection; see Test", r.End, id)
	}
	return p, nil
}
