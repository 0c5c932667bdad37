package discover

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A Result is what was found.
type Result struct {
	// Alive is the longest silence that a connection survived.
	Alive time.Duration
	// Dead is the shortest that one did not survive, 0 if none died.
	Dead time.Duration
	// End is how that one ended.
	End End
	// MaskedBy is the period in which the peer sent something by itself, so that
	// nothing longer can be seen; 0 if it did not.
	MaskedBy time.Duration
	// MaskUnknown: this system does not tell whether the peer sent anything.
	MaskUnknown bool
	// Tests are all of them, in the order in which they ended.
	Tests []Test
	// Took is how long it took.
	Took time.Duration
}

// A Test is one connection.
type Test struct {
	Idle time.Duration // how long it was silent, or until it ended
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
	// ClosedOnUse: FIN did, which somebody sent who still knew it.
	ClosedOnUse
	// NoAnswer: nothing did.
	NoAnswer
	// Masked: the peer sent something meanwhile, which kept it alive.
	Masked
	// Failed: it could not be made, or was not answered at its beginning.
	Failed
	ends
)

var endNames = [ends]string{"alive", "closed (FIN) while idle", "reset (RST) while idle", "forgotten: RST on the next packet", "closed (FIN) on the next packet", "forgotten: silent drop", "kept alive by the peer", "failed"}

// String returns "alive", "closed (FIN) while idle" and so on.
func (e End) String() string {
	if e < ends {
		return endNames[e]
	}
	return fmt.Sprintf("End(%d)", uint8(e))
}

// dead tells whether the path, or the peer, has given the connection up.
func (e End) dead() bool { return e >= Closed && e <= NoAnswer }

// String returns a sentence: "between 348s and 352s: forgotten: silent drop".
func (r *Result) String() string {
	switch {
	case r.Dead > 0 && (r.End == Closed || r.End == Reset):
		return fmt.Sprintf("after %s: %s", text(r.Dead), r.End)
	case r.Dead > 0:
		return fmt.Sprintf("between %s and %s: %s", text(r.Alive), text(r.Dead), r.End)
	case r.MaskedBy > 0:
		return fmt.Sprintf("not below %s; masked by the peer, which sends something every %s", text(r.Alive), text(r.MaskedBy))
	}
	return fmt.Sprintf("not below %s, the longest that was tried", text(r.Alive))
}

func text(d time.Duration) string {
	return platform.Idle.Format(int64(d.Round(10 * time.Millisecond)))
}

// Profile is what was measured as a profile for a plan, with the time that was
// survived; that probes refresh it is assumed. Where nothing died the timeout is not
// known, and the error wraps [align.ErrUnknown].
//
// An end by FIN, or by RST while idle, comes from a server or proxy, which looks at data:
// probes do not put it off.
func (r *Result) Profile(id string) (align.Profile, error) {
	if r.Dead == 0 {
		return align.Profile{}, fmt.Errorf("discover: the timeout of %s is %w: %s", id, align.ErrUnknown, r)
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
	default:
		p.Expiry = align.Silent
	}
	return p, nil
}
