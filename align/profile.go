package align

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

const second = time.Second

// A Profile is what one middlebox product does with a silent connection. The
// built-in ones are found by [Path], [Lookup] and [Search]; one of your own is
// just a value:
//
//	align.Profile{ID: "office-firewall", Timeout: 15 * time.Minute, Refreshed: align.Yes}
type Profile struct {
	ID       string // "aws-nlb-tcp"
	Provider string // "AWS"
	Product  string // "NLB, TCP listener"
	Layer    string // "L4", "L4 NAT", "L4 stateful", "L4 proxy", "L7"...
	Kind     Kind

	// Timeout is the default, 0 where there is none or it is not known.
	Timeout time.Duration
	// Min and Max are what it can be set to, 0 where that is not known or it
	// cannot be set.
	Min, Max        time.Duration
	TimeoutEvidence Evidence

	// Expiry is what happens when the time is over; ExpiryText says it in the
	// terms of the product.
	Expiry         Expiry
	ExpiryText     string
	ExpiryEvidence Evidence

	// Refreshed tells whether a TCP keepalive probe starts the time again.
	Refreshed         Answer
	RefreshedEvidence Evidence

	Source string // address of the page that says so
	Note   string // what else one has to know
}

// Kind is what the figure of a profile limits.
type Kind uint8

const (
	// IdleTimeout limits silence.
	IdleTimeout Kind = iota
	// MaxAge limits the life of a connection, used or not.
	MaxAge
	// RequestLimit limits one request.
	RequestLimit
	// Heuristic is what some client does because of middleboxes it met.
	Heuristic
)

// String returns "idle timeout", "maximum age", "request limit" or "heuristic".
func (k Kind) String() string {
	return name(k, "idle timeout", "maximum age", "request limit", "heuristic")
}

// Answer is a yes or no that may be unknown.
type Answer = platform.Answer

// The answers. UnknownAnswer: nobody knows, or it depends.
const (
	UnknownAnswer = platform.Unknown
	No            = platform.No
	Yes           = platform.Yes
)

// Evidence is how sure a fact is.
type Evidence uint8

const (
	// Given: whoever made the profile says so.
	Given Evidence = iota
	// Verified: read at the source.
	Verified
	// Secondary: read at somebody else's who quotes the source.
	Secondary
	// Inferred: follows from the kind of product, is not written there.
	Inferred
	// FromMemory: not looked up.
	FromMemory
	// NotFound: looked for, not found.
	NotFound
)

// String returns "given", "verified", "secondary", "inferred", "from memory" or
// "not found".
func (e Evidence) String() string {
	return name(e, "given", "verified", "secondary", "inferred", "from memory", "not found")
}

// Sure tells whether the fact needs no mark.
func (e Evidence) Sure() bool { return e == Given || e == Verified }

// Expiry is what a middlebox does when its time is over.
type Expiry uint8

const (
	// ExpiryUnknown: not known.
	ExpiryUnknown Expiry = iota
	// Silent: it forgets the connection and drops what comes later. A write
	// hangs until a user timeout or, on Linux, about 15 minutes.
	Silent
	// SilentThenReset: it forgets, and answers the next packet with RST. The
	// next write succeeds, the read after it fails with ECONNRESET. The other end
	// is not told.
	SilentThenReset
	// Resets: it sends RST to both ends at once.
	Resets
	// Closes: it ends the connection itself, as a peer does. A request that
	// crosses it on the way is lost.
	Closes
	// OtherExpiry is in the profile's ExpiryText.
	OtherExpiry
)

// String returns "unknown", "silent drop", "silent, RST on next packet", "RST to
// both ends", "closed" or "other".
func (e Expiry) String() string {
	return name(e, "unknown", "silent drop", "silent, RST on next packet", "RST to both ends", "closed", "other")
}

func name[T ~uint8](v T, names ...string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("%T(%d)", v, uint8(v))
}

// EndsTCP tells whether the middlebox ends the TCP connection and makes one of its
// own beyond: keepalive then covers one leg only.
func (p Profile) EndsTCP() bool {
	return strings.Contains(p.Layer, "proxy") || strings.Contains(p.Layer, "L7")
}

// WithTimeout returns the profile of a middlebox that was set to d. A value
// outside what the product takes is a [*ValueError].
func (p Profile) WithTimeout(d time.Duration) (Profile, error) {
	low, high := max(p.Min, 1), p.Max
	if high == 0 {
		high = maxTimeout
	}
	if d < low || d > high {
		limit := fmt.Sprintf("%s of %s is %s to %s", p.Kind, p.ID, text(p.Min), text(high))
		switch {
		case p.Min == 0 && p.Max == 0:
			limit = fmt.Sprintf("must be positive and at most %s", text(maxTimeout))
		case p.Min == 0:
			limit = fmt.Sprintf("%s of %s is at most %s", p.Kind, p.ID, text(high))
		case p.Max == 0:
			limit = fmt.Sprintf("%s of %s is at least %s", p.Kind, p.ID, text(p.Min))
		}
		return p, &ValueError{Field: "timeout of " + p.ID, Value: text(d), Limit: limit}
	}
	p.Timeout, p.TimeoutEvidence = d, Given
	return p, nil
}

// maxTimeout keeps the arithmetic away from overflow.
const maxTimeout = 100 * 365 * 24 * time.Hour

// Validate returns a [*ValueError] if the profile cannot be reckoned with.
func (p Profile) Validate() error {
	for _, f := range []struct {
		name  string
		value time.Duration
	}{{"timeout", p.Timeout}, {"min", p.Min}, {"max", p.Max}} {
		if f.value < 0 || f.value > maxTimeout {
			return &ValueError{Field: f.name + " of " + p.label(), Value: text(f.value), Limit: "0 (not known) to " + text(maxTimeout)}
		}
	}
	if p.Max > 0 && p.Max < p.Min {
		return &ValueError{Field: "max of " + p.label(), Value: text(p.Max), Limit: "at least its min, " + text(p.Min)}
	}
	return nil
}

func (p Profile) label() string {
	if p.ID == "" {
		return "a profile without ID"
	}
	return p.ID
}

// Doubts are the facts of the profile that are not sure, in words: "whether probes
// refresh it: yes (inferred)".
func (p Profile) Doubts() []string {
	var doubts []string
	if p.Timeout > 0 && !p.TimeoutEvidence.Sure() {
		doubts = append(doubts, fmt.Sprintf("its %s: %s (%s)", p.Kind, text(p.Timeout), p.TimeoutEvidence))
	}
	if p.Refreshed != UnknownAnswer && !p.RefreshedEvidence.Sure() {
		doubts = append(doubts, fmt.Sprintf("whether a probe refreshes it: %s (%s)", p.Refreshed, p.RefreshedEvidence))
	}
	return doubts
}
