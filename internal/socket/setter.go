// Package socket finds the TCP socket below a connection or listener, and sets,
// verifies and reads its options in one visit of the descriptor.
package socket

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A Setter is a request prepared for many sockets: it is checked and planned
// once, and applied without allocating. It is a plain value of about 1 kB. It is safe for
// concurrent use.
type Setter struct {
	request  kernel.Request
	os       OS
	sets     kernel.Plan // the calls to make
	verifies kernel.Plan // the calls to read back
}

// NewSetter checks r for this operating system. The error is a [platform.Faults].
func (o OS) NewSetter(r kernel.Request) (s Setter, err error) {
	var faults platform.Faults
	s.request, s.os = r, o
	s.sets, faults = o.limits().Plan(r)
	s.verifies = s.sets
	return s, faults.Err()
}

// Set sets the options of r on the socket below c, and reads them back.
func (o OS) Set(c any, r kernel.Request) error {
	s, err := o.NewSetter(r)
	if err != nil {
		return err
	}
	return s.SetOnce(c)
}

// Verify only reads back the options of r. It accepts values that Set refuses.
func (o OS) Verify(c any, r kernel.Request) error {
	plan, faults := o.limits().Comparison(r)
	if len(faults) > 0 {
		return faults
	}
	return Setter{request: r, os: o, verifies: plan}.SetOnce(c)
}

// Request returns the request of the Setter.
func (s Setter) Request() kernel.Request { return s.request }

// Options returns the options that the Setter sets.
func (s Setter) Options() platform.OptionSet { return s.sets.Carries() }

// Only returns a Setter for the given options: it neither sets nor reads back
// any other.
func (s Setter) Only(options platform.OptionSet) Setter {
	s.sets, s.verifies = s.sets.Only(options), s.verifies.Only(options)
	return s
}

// SetsOnly returns a Setter that sets only the given options, and reads back the
// same options as s. Without options it only verifies.
func (s Setter) SetsOnly(options platform.OptionSet) Setter {
	s.sets = s.sets.Only(options)
	return s
}

// WithoutReadBack returns a Setter that trusts a successful setsockopt. It saves
// one getsockopt per option.
func (s Setter) WithoutReadBack() Setter {
	s.verifies = kernel.Plan{}
	return s
}

// Set sets the options of the request on the socket below c, and reads them back.
func (s *Setter) Set(c any) error {
	rc, isTCP, err := find(c)
	if err != nil {
		return err
	}
	return s.visit(calls.Get(), rc, isTCP, roleOf(c))
}

// SetOnce is Set for a Setter that is not kept. It stores a copy in the pooled visit, to
// avoid an allocation.
func (s Setter) SetOnce(c any) error {
	rc, isTCP, err := find(c)
	if err != nil {
		return err
	}
	v := calls.Get()
	v.Data.own = s
	return v.Data.own.visit(v, rc, isTCP, roleOf(c))
}

// Hook is a Control hook of a net.Dialer or a net.ListenConfig. It sets all options of the
// Setter on a TCP socket, even on one that is about to listen, and none on others.
func (s *Setter) Hook(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	return s.visit(calls.Get(), c, true, connection)
}

func (s *Setter) visit(v *Visit[call], rc syscall.RawConn, isTCP bool, r role) error {
	request := s.request // s may be stored in v, which is reused after the visit
	c := &v.Data
	c.setter, c.os, c.askKind = s, s.os, !isTCP
	if r != connection && s.sets.Carries() != s.os.Rules().OnListener(s.sets.Carries()) {
		c.listens = r.question()
	}
	_, _, inner, outer := visit(v, rc, (*call).apply)
	if inner != nil {
		return fmt.Errorf("keepalive %v: %w", request, inner)
	}
	return outer
}
