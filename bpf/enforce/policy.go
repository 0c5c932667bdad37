package enforce

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/enum"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Mode says what happens to an option that both the policy and the program set.
type Mode uint8

const (
	// Override is for the policy's value, always.
	Override Mode = iota
	// Default is for the program's value: the policy sets only what the program does not
	// set itself. Package net sets keepalive, the idle time, the interval and the count of
	// every connection, so on programs in Go this mode has little effect.
	Default
	// Clamp is for the program's value within bounds: at most that of Config, at least that
	// of Least. An option that the program does not set gets the value of Config, and
	// keepalive is on or off as Config says. No user timeout counts as the longest one.
	Clamp
	// Leave leaves the sockets alone.
	Leave
)

// String returns "override", "default", "clamp" or "leave".
func (m Mode) String() string { return enum.Name("Mode", m, "override", "default", "clamp", "leave") }

// A Rule says what is done with some of the sockets of a control group. Its conditions are
// combined; one that is empty is always met.
type Rule struct {
	// Name is for people, and is kept with the policy. At most 63 bytes.
	Name string

	// Peer and Local are conditions on the ends of a connection: an address
	// ("192.0.2.1"), a prefix ("10.0.0.0/8"), a port (":443", ":8000-8099") or both
	// ("[2001:db8::]/32:443"). A socket that is not yet connected has no peer, and is
	// judged again when it is connected.
	Peer, Local string

	// Command is the name of the thread that made the socket, or of the listener that
	// accepted it, as in /proc/PID/comm: at most 15 bytes. Sockets made before a policy
	// with a Command was attached have none.
	Command string

	Mode   Mode
	Config sockopt.Config // what [Override] and [Default] set, and the most that [Clamp] permits
	Least  sockopt.Config // the least that Clamp permits; a zero field is no bound
}

// A Policy is a list of rules. The first one whose conditions are met decides about a
// socket; if there is none, the socket is left alone.
type Policy struct{ Rules []Rule }

// MaxRules is how many rules a policy can have.
const MaxRules = 32

// The sizes of texts in the kernel, with the byte of 0 at their end.
const (
	nameSize    = 64
	commandSize = 16
)

// Validate returns all faults of the policy on this system, or nil. The faults of a Config
// are those of [sockopt.Config.Validate].
func (p Policy) Validate() error { return named(p.validate()) }

func (p Policy) validate() error {
	if n := len(p.Rules); n == 0 || n > MaxRules {
		return fmt.Errorf("the policy has %d rules: want 1 to %d", n, MaxRules)
	}
	var errs faults
	for i := range p.Rules {
		r := &p.Rules[i]
		for _, err := range r.faults() {
			errs = append(errs, fmt.Errorf("rule %s: %w", cmp.Or(r.Name, fmt.Sprint(i+1)), err))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

func (r *Rule) faults() (errs []error) {
	fault := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if len(r.Name) >= nameSize || strings.ContainsRune(r.Name, 0) {
		fault(fmt.Errorf("its name is %d bytes long, or has a byte of 0 in it: want at most %d bytes", len(r.Name), nameSize-1))
	}
	if len(r.Command) >= commandSize || strings.ContainsRune(r.Command, 0) {
		fault(fmt.Errorf("command %q is %d bytes long: the kernel keeps %d bytes of it, as /proc/PID/comm shows", r.Command, len(r.Command), commandSize-1))
	}
	_, err := r.end("peer", r.Peer)
	fault(err)
	_, err = r.end("local", r.Local)
	fault(err)
	var none sockopt.Config
	switch r.Mode {
	case Override, Default:
		fault(r.Config.Validate())
		if r.Least != none {
			fault(fmt.Errorf("the least settings are for mode clamp, and it has mode %v", r.Mode))
		}
	case Clamp:
		fault(r.Config.Validate())
		fault(r.leastFault())
	case Leave:
		if r.Config != none || r.Least != none {
			fault(errors.New("it has settings, which mode leave would not set"))
		}
	default:
		fault(fmt.Errorf("there is no mode %v", r.Mode))
	}
	return errs
}

// leastFault checks the lower bounds of a Clamp.
func (r *Rule) leastFault() error {
	switch {
	case r.Least.Disabled:
		return errors.New("the least settings switch keepalive off, which is no bound")
	case r.Least.UserTimeout == sockopt.NoUserTimeout:
		return errors.New("the least settings have user-timeout=off, which is the longest: leave it out")
	}
	if err := r.Least.Validate(); err != nil {
		return fmt.Errorf("the least settings: %w", err)
	}
	most, least := kernel.Request(r.Config), kernel.Request(r.Least)
	for _, b := range []struct {
		name        string
		least, most int64
	}{
		{"idle", int64(least.Idle), int64(most.Idle)},
		{"interval", int64(least.Interval), int64(most.Interval)},
		{"count", int64(least.Count), int64(most.Count)},
		{"user-timeout", int64(least.UserTimeout), int64(most.UserTimeout)},
	} {
		if b.most > 0 && b.least > b.most {
			return fmt.Errorf("the least %s is more than the most: %v and %v", b.name, r.Least, r.Config)
		}
	}
	return nil
}

// end parses one of the conditions on the ends of a connection.
func (r *Rule) end(which, text string) (endpoint.Endpoint, error) {
	if text == "" {
		return endpoint.Endpoint{}, nil
	}
	e, err := endpoint.Parse(text)
	switch {
	case err != nil:
		return e, fmt.Errorf("%s %w", which, err)
	case e.Zone != "":
		return e, fmt.Errorf("%s %q: a policy cannot tell interfaces apart; leave out %%%s", which, text, e.Zone)
	}
	return e, nil
}

// faults are several errors on one line.
type faults []error

func (e faults) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e faults) Unwrap() []error { return e }
