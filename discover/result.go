package discover

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A Result is what was found. [Result.Err] tells whether it is an answer.
type Result struct {
	// Alive is the longest silence that a connection survived; where connections
	// disagree, that all of them did.
	Alive time.Duration
	// Dead is the shortest that one did not survive, 0 if none died, or if connections
	// disagree.
	Dead time.Duration
	// End is how that one ended, or the one of SomeDead.
	End End
	// SomeDead is not 0 where connections disagree: some died after so long, and
	// others, which were silent for up to SomeAlive, did not. So there are several
	// timeouts behind this address, as of several servers, and another may be shorter.
	SomeDead, SomeAlive time.Duration
	// MaskedBy is the period in which the peer sent something by itself, so that
	// nothing longer can be seen; 0 if it did not, or if there is no period.
	MaskedBy time.Duration
	// MaskUnknown: this system does not tell whether the peer sent anything.
	MaskUnknown bool
	// Tests has every connection that was tested, in the order in which the tests ended.
	// Tests that were given up are left out.
	Tests []Test
	// Took is how long it took.
	Took time.Duration

	tried time.Duration // what was to be tried at the longest
}

// A Test is the outcome for one connection.
type Test struct {
	// Idle is how long the connection was silent, until it was tested or until it
	// ended. Where the peer kept sending (see Masked), it is the longest silence.
	Idle time.Duration
	// Late is how much sooner the connection may have ended: a process that does not
	// get a processor, or was stopped, sees an RST late.
	Late time.Duration
	End  End
	Err  error // for Failed
}

// End is how a test ended.
type End uint8

const (
	// Survived: the connection works.
	Survived End = iota
	// Closed: FIN came while it was idle.
	Closed
	// Reset: RST came while it was idle.
	Reset
	// ResetOnUse: RST answered its first packet.
	ResetOnUse
	// ClosedOnUse: FIN answered its first packet, from somebody who still knew the
	// connection.
	ClosedOnUse
	// NoAnswer: nothing answered its first packet.
	NoAnswer
	// Unanswered: it was acknowledged, but not answered: by a proxy that has lost the
	// connection behind it, or by a program that hangs.
	Unanswered
	// Masked: the peer sent something again and again, which kept it alive.
	Masked
	// Failed: it could not be made, or was not answered at its beginning.
	Failed
	ends
)

var endNames = [ends]string{"alive", "closed (FIN) while idle", "reset (RST) while idle", "forgotten: RST on the next packet", "closed (FIN) on the next packet", "forgotten: silent drop", "acknowledged, but not answered", "kept alive by the peer", "failed"}

// String returns "alive", "closed (FIN) while idle" and so on.
func (e End) String() string {
	if e < ends {
		return endNames[e]
	}
	return fmt.Sprintf("End(%d)", uint8(e))
}

// dead tells whether the path, or the peer, has given the connection up.
func (e End) dead() bool { return e >= Closed && e <= Unanswered }

// set takes the bounds up.
func (r *Result) set(b bounds) {
	r.Alive, r.Dead, r.End, r.SomeDead, r.SomeAlive = b.alive, b.dead, b.end, 0, 0
	switch {
	case b.disagreed:
		r.Dead, r.SomeDead, r.SomeAlive = 0, b.dead, b.longest
	case b.told():
		r.Alive = b.dead - b.late
	}
}

// masked tells whether a peer kept a connection alive.
func (r *Result) masked() bool {
	return r.MaskedBy > 0 || slices.ContainsFunc(r.Tests, func(t Test) bool { return t.End == Masked })
}

// failure is that of the last test that failed.
func (r *Result) failure() (err error) {
	for _, t := range r.Tests {
		if t.End == Failed {
			err = t.Err
		}
	}
	return err
}

// Outliers is how many connections died although others were silent for longer, and
// lived: for another reason, if there is one, or by a timeout that few connections have.
func (r *Result) Outliers() int {
	if r.SomeDead > 0 {
		return 0
	}
	return outliers(r.Tests, r.Alive)
}

// Err is nil if the result is an answer: all connections die between Alive and Dead, or
// none does until what was to be tried. Otherwise it says why the timeout is not known, and
// wraps [align.ErrUnknown].
func (r *Result) Err() error {
	why := ""
	switch {
	case r.SomeDead > 0:
		why = fmt.Sprintf("some connections ended after %s (%s), others survived %s: there are several timeouts behind this address, as of several servers",
			text(r.SomeDead), r.End, text(r.SomeAlive))
	case r.Dead > 0 && r.Alive > 0:
		return nil
	case r.Dead > 0:
		why = fmt.Sprintf("no connection survived the shortest silence that was tried, %s: %s; shorter ones were not tried", text(r.Dead), r.End)
	case r.masked():
		why = "the peer keeps the path alive, it sends something" + r.period()
	case r.MaskUnknown:
		why = "whether the peer kept the path alive, this system does not tell"
	case r.Alive < r.tried:
		why = "longer was not tried"
		if err := r.failure(); err != nil {
			why += ": " + err.Error()
		}
	default:
		return nil
	}
	if r.SomeDead == 0 && r.Alive > 0 {
		why = fmt.Sprintf("not below %s; %s", text(r.Alive), why)
	}
	return unknown{"not known: " + why}
}

// period is how often the peer sends something.
func (r *Result) period() string {
	switch {
	case r.MaskedBy == 0:
		return " by itself"
	case r.MaskedBy < 10*time.Millisecond:
		return " all the time"
	}
	return " every " + text(r.MaskedBy)
}

// An unknown is why a timeout is not known.
type unknown struct{ why string }

func (u unknown) Error() string { return u.why }
func (u unknown) Unwrap() error { return align.ErrUnknown }

// String returns a sentence: "between 348s and 352s: forgotten: silent drop".
func (r *Result) String() string {
	if err := r.Err(); err != nil {
		return err.Error()
	}
	switch {
	case r.Dead > 0 && (r.End == Closed || r.End == Reset) && float64(r.Dead-r.Alive) <= precision*float64(r.Dead):
		return fmt.Sprintf("after %s: %s", text(r.Dead), r.End)
	case r.Dead > 0:
		return fmt.Sprintf("between %s and %s: %s", text(r.Alive), text(r.Dead), r.End)
	}
	return fmt.Sprintf("not below %s, the longest that was tried", text(r.Alive))
}

func text(d time.Duration) string {
	return platform.Idle.Format(int64(d.Round(10 * time.Millisecond)))
}

// Profile is what was measured as a profile for a plan, with the time that was
// survived; that probes refresh it is assumed. Where nothing died or survived, or
// connections disagree, the timeout is not known, and the error wraps [align.ErrUnknown].
//
// An end by FIN, by RST while idle, or without an answer to what was acknowledged, comes
// from a server or proxy, which looks at data: probes do not put it off.
func (r *Result) Profile(id string) (align.Profile, error) {
	if r.Dead == 0 || r.Alive == 0 {
		why := r.Err()
		if why == nil {
			why = unknown{"not known: " + r.String()}
		}
		return align.Profile{}, fmt.Errorf("discover: the timeout of %s is %w", id, why)
	}
	p := align.Profile{
		ID: id, Provider: "measured", Product: r.String(), Layer: "L4",
		Timeout: r.Alive, ExpiryText: r.End.String(),
		Refreshed: align.Yes, RefreshedEvidence: align.Inferred,
	}
	switch r.End {
	case Closed, ClosedOnUse, Reset:
		p.Expiry, p.Refreshed, p.Layer = align.Closes, align.No, "L4 proxy"
		if r.End == Reset {
			p.Expiry = align.Resets
		}
	case ResetOnUse:
		p.Expiry = align.SilentThenReset
	case Unanswered:
		p.Expiry, p.Refreshed, p.Layer = align.Silent, align.No, "L4 proxy"
	default:
		p.Expiry = align.Silent
	}
	return p, nil
}
