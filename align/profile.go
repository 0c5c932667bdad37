package align

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
)

const second = time.Second

// A Profile is what one middlebox product does with a silent connection. [Path] finds
// the built-in profiles by their IDs, and a [Catalog] lists them. A profile of your own
// is a value:
//
//	align.Profile{ID: "office-firewall", Timeout: 15 * time.Minute, Refreshed: platform.Yes}
type Profile struct {
	ID       string // "aws-nlb-tcp"
	Provider string // "AWS"
	Product  string // "NLB, TCP listener"
	// Layer says for people where the product works: "L4 NAT", "L7 proxy (Envoy)". For
	// plans, only "L7" and "proxy" in it mean something; see EndsTCP.
	Layer string
	Kind  Kind // what Timeout limits

	// Protocol is what the connection carries, if that decides which heartbeats count:
	// "HTTP", "stream" (one gRPC stream or WebSocket), "SQL", "Redis", "Kafka", "AMQP",
	// "NATS". "" stands for HTTP in layer 7, and elsewhere for any protocol.
	Protocol string

	// Timeout is the product's default. It is 0 if there is no default, or if it is
	// not known.
	Timeout time.Duration
	// Never says that nothing ends a silent connection unless somebody sets Timeout,
	// which is 0. A plan then only warns about the profile.
	Never bool
	// Settable tells whether Timeout can be set to another value: platform.No if it is
	// fixed, platform.Unknown if nobody knows.
	Settable platform.Answer
	// Min and Max are the limits within which Timeout can be set. Each is 0 if it is
	// not known. Both are 0 if Timeout is fixed.
	Min, Max        time.Duration
	TimeoutEvidence Evidence // of Timeout, Never, Settable, Min and Max

	// HalfClosed is the timeout of a connection that one end has closed for writing. It
	// is 0 if it is not known.
	HalfClosed         time.Duration
	HalfClosedEvidence Evidence

	// Expiry is what the middlebox does when the time is over; ExpiryText says it in
	// the terms of the product.
	Expiry         Expiry
	ExpiryText     string
	ExpiryEvidence Evidence

	// Refreshed tells whether a TCP keepalive probe starts the time again. It is
	// platform.Unknown if nobody knows that, or if it depends on the configuration.
	Refreshed         platform.Answer
	RefreshedEvidence Evidence
	// Sender says from which end probes are best sent, and why: "the inside: ...". It is ""
	// if that makes no difference.
	Sender string
	// RefreshedSource is the address of the page that states Refreshed. "" stands for
	// Source.
	RefreshedSource string

	Source string // address of the page that states these facts
	Read   string // the day or the month on which Source was read, "2026-11-27"; "" if it was not
	Note   string // what else a user has to know

	// Side says which of its two connections a proxy's Timeout limits: "client" is the one
	// that it accepts, "server" the one that it opens. "" stands for both. That it has no
	// timeout on the other one is an assumption of a plan for that, unless the path also has
	// the profile of that side.
	Side string

	also   string // other words by which people look for it
	device string // the same for profiles of one proxy
}

// EndsTCP reports whether the middlebox ends the TCP connection and makes another one
// to the server, as proxies do. Keepalive then covers only the first of the two. It does
// not where that depends on the configuration ("L4/L7").
func (p Profile) EndsTCP() bool {
	if p.Kind == heuristic {
		return false
	}
	return strings.Contains(p.Layer, "proxy") || strings.HasPrefix(p.Layer, "L7") && p.Kind != serverTimeout
}

// LimitsSilence reports whether Timeout is an idle timeout, of a middlebox or of a
// server. Otherwise the profile says nothing about silent connections, and plans only
// warn about it.
func (p Profile) LimitsSilence() bool {
	return cmp.Or(p.Kind, idleTimeout) == idleTimeout || p.Kind == serverTimeout
}

// ignoresProbes reports whether keepalive probes do not start the time again. No server
// counts them: its kernel answers, and the program never learns of it.
func (p Profile) ignoresProbes() bool {
	return p.Refreshed == platform.No || p.Kind == serverTimeout
}

// WithTimeout returns the profile of a middlebox whose timeout is set to d. If the
// product does not take that value, or if its timeout is fixed, the error wraps a
// [*ValueError].
func (p Profile) WithTimeout(d time.Duration) (Profile, error) {
	p, err := p.withTimeout(d)
	return p, named(err)
}

func (p Profile) withTimeout(d time.Duration) (Profile, error) {
	if p.Settable == platform.No {
		if d != p.Timeout {
			limit := fmt.Sprintf("the %s of %s is fixed at %s", p.Kind, p.ID, duration.Seconds(p.Timeout))
			if p.Source != "" {
				limit += " (" + p.Source + ")"
			}
			return p, &ValueError{Field: "timeout of " + p.ID, Value: duration.Seconds(d), Limit: limit}
		}
		return p, nil
	}
	low, high := max(p.Min, 1), p.Max
	if high == 0 {
		high = maxTimeout
	}
	if d < low || d > high {
		limit := fmt.Sprintf("%s of %s is %s to %s", p.Kind, p.ID, duration.Seconds(p.Min), duration.Seconds(high))
		switch {
		case p.Min == 0 && p.Max == 0:
			limit = fmt.Sprintf("must be positive and at most %s", duration.Seconds(maxTimeout))
		case p.Min == 0:
			limit = fmt.Sprintf("%s of %s is at most %s", p.Kind, p.ID, duration.Seconds(high))
		case p.Max == 0:
			limit = fmt.Sprintf("%s of %s is at least %s", p.Kind, p.ID, duration.Seconds(p.Min))
		}
		return p, &ValueError{Field: "timeout of " + p.ID, Value: duration.Seconds(d), Limit: limit}
	}
	p.Timeout, p.Never, p.TimeoutEvidence = d, false, given
	return p, nil
}

// maxTimeout is so short that no sum of times overflows.
const maxTimeout = 100 * 365 * 24 * time.Hour

// Validate returns an error that wraps a [*ValueError] if the profile has a duration that
// is negative or longer than 100 years, a Max below its Min, a word that is not one of
// [Kind], [Evidence] and [Expiry], or facts that contradict each other.
func (p Profile) Validate() error { return named(p.validate()) }

func (p Profile) validate() error {
	if err := p.errWords(); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{{"timeout", p.Timeout}, {"min", p.Min}, {"max", p.Max}, {"half-closed timeout", p.HalfClosed}} {
		if f.value < 0 || f.value > maxTimeout {
			return &ValueError{Field: f.name + " of " + p.label(), Value: duration.Seconds(f.value), Limit: "0 (not known) to " + duration.Seconds(maxTimeout)}
		}
	}
	if p.Max > 0 && p.Max < p.Min {
		return &ValueError{Field: "max of " + p.label(), Value: duration.Seconds(p.Max), Limit: "at least its min, " + duration.Seconds(p.Min)}
	}
	switch {
	case p.Never && p.Timeout > 0:
		return &ValueError{Field: "timeout of " + p.label(), Value: duration.Seconds(p.Timeout), Limit: "0, as Never says that there is none"}
	case p.Settable == platform.No && max(p.Min, p.Max) > 0:
		return &ValueError{Field: "settable of " + p.label(), Value: p.Settable.String(), Limit: "yes, or no Min and no Max"}
	case p.Kind == serverTimeout && p.Refreshed == platform.Yes:
		return &ValueError{Field: "refreshed of " + p.label(), Value: p.Refreshed.String(), Limit: "no, as a server counts only data"}
	}
	return nil
}

func (p Profile) label() string {
	if p.ID == "" {
		return "a profile without ID"
	}
	return p.ID
}

// Doubts returns the facts of the profile on which a plan rests and that are not sure,
// in words: "whether a probe refreshes it: yes (inferred)".
func (p Profile) Doubts() []string {
	var doubts []string
	if (p.Timeout > 0 || p.Never) && !p.TimeoutEvidence.Sure() {
		doubts = append(doubts, fmt.Sprintf("its %s: %s (%s)", p.Kind, p.timeoutText(), p.TimeoutEvidence))
	}
	switch {
	case p.Refreshed == platform.Unknown && !p.ignoresProbes() && p.LimitsSilence() && p.Timeout > 0:
		doubts = append(doubts, "whether a probe refreshes it: not known")
	case p.Refreshed != platform.Unknown && !p.RefreshedEvidence.Sure():
		doubts = append(doubts, fmt.Sprintf("whether a probe refreshes it: %s (%s)", p.Refreshed, p.RefreshedEvidence))
	}
	return doubts
}

// timeoutText returns the timeout, "none unless set" if there is none by default.
func (p Profile) timeoutText() string {
	if p.Never {
		return "none unless set"
	}
	return duration.Seconds(p.Timeout)
}
