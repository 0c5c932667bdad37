// Package socket finds the TCP socket below a connection or listener, and sets,
// verifies and reads its options in one visit of the descriptor.
package socket

import (
	"context"
	"fmt"
	"strings"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A Setter is a request prepared for many sockets: it is checked and planned
// once, and applied without allocating. It is safe for concurrent use.
type Setter struct {
	request  kernel.Request
	rules    *kernel.Rules
	sets     kernel.Plan // the calls to make
	verifies kernel.Plan // the calls to read back
	kernel   kernel.Kernel
}

// NewSetter checks r for this operating system. The error is that of
// sockopt's Config.Validate.
func NewSetter(r kernel.Request) (*Setter, error) {
	s, err := newSetter(r)
	if err != nil {
		return nil, err
	}
	return &s, nil
}

func newSetter(r kernel.Request) (Setter, error) {
	t := rules()
	plan, faults := t.Plan(r)
	if len(faults) > 0 {
		return Setter{}, fmt.Errorf("keepalive %v: %w", r, faults)
	}
	return Setter{request: r, rules: t, sets: plan, verifies: plan, kernel: system}, nil
}

// system and rules are those of new Setters and reads.
var (
	system = kernel.System()
	rules  = kernel.Current
)

// Replace replaces system and rules, for tests, until restore is called. No
// other goroutine may use the package at that moment. A nil argument replaces
// nothing.
func Replace(k kernel.Kernel, r *kernel.Rules) (restore func()) {
	oldSystem, oldRules := system, rules
	if k != nil {
		system = k
	}
	if r != nil {
		rules = func() *kernel.Rules { return r }
	}
	return func() { system, rules = oldSystem, oldRules }
}

// Set sets the options of r on the socket below c, and reads them back.
func Set(c any, r kernel.Request) error {
	s, err := newSetter(r)
	if err != nil {
		return err
	}
	return s.once(c)
}

// Verify only reads back the options of r. It accepts values that Set refuses.
func Verify(c any, r kernel.Request) error {
	t := rules()
	plan, faults := t.Comparison(r)
	if len(faults) > 0 {
		return fmt.Errorf("keepalive %v: %w", r, faults)
	}
	return Setter{request: r, rules: t, verifies: plan, kernel: system}.once(c)
}

// once stores the Setter in the pooled call, to avoid an allocation.
func (s Setter) once(c any) error {
	rc, isTCP, err := find(c)
	if err != nil {
		return err
	}
	v := calls.Get().(*call)
	v.own = s
	return v.own.visit(v, rc, isTCP, roleOf(c))
}

// Request returns the request of the Setter.
func (s *Setter) Request() kernel.Request { return s.request }

// Options returns the options that the Setter sets.
func (s *Setter) Options() platform.OptionSet { return s.sets.Carries() }

// Only returns a Setter for the given options: it neither sets nor reads back
// any other.
func (s *Setter) Only(options platform.OptionSet) *Setter {
	part := *s
	part.sets = s.sets.Only(options)
	part.verifies = s.verifies.Only(options)
	return &part
}

// SetsOnly returns a Setter that sets only the given options, and reads back the
// same options as s. Without options it only verifies.
func (s *Setter) SetsOnly(options platform.OptionSet) *Setter {
	part := *s
	part.sets = s.sets.Only(options)
	return &part
}

// WithoutReadBack returns a Setter that trusts a successful setsockopt. It saves
// one getsockopt per option.
func (s *Setter) WithoutReadBack() *Setter {
	part := *s
	part.verifies = kernel.Plan{}
	return &part
}

// WithKernel returns a Setter that makes its calls with k, for tests.
func (s *Setter) WithKernel(k kernel.Kernel) *Setter {
	part := *s
	part.kernel = k
	return &part
}

// Set is the function [Set] with the Setter's request.
func (s *Setter) Set(c any) error {
	rc, isTCP, err := find(c)
	if err != nil {
		return err
	}
	return s.visit(calls.Get().(*call), rc, isTCP, roleOf(c))
}

// Control is the hook that sockopt.Control returns.
func (s *Setter) Control(network, _ string, c syscall.RawConn) error {
	return s.hook(network, c, hooked)
}

// ControlContext is the hook for [net.Dialer].ControlContext. Unlike
// [Setter.Control] it need not find out whether the socket will listen: a
// net.ListenConfig has no such field.
func (s *Setter) ControlContext(_ context.Context, network, _ string, c syscall.RawConn) error {
	return s.hook(network, c, connection)
}

func (s *Setter) hook(network string, c syscall.RawConn, r role) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	return s.visit(calls.Get().(*call), c, true, r)
}

func (s *Setter) visit(c *call, rc syscall.RawConn, isTCP bool, r role) error {
	request := s.request // s may be stored in c, which is reused after the visit
	c.setter, c.kernel, c.askKind = s, s.kernel, !isTCP
	if r != connection && s.sets.Carries() != s.rules.OnListener(s.sets.Carries()) {
		c.listens = r.question()
	}
	_, inner, outer := c.on(rc)
	if outer != nil {
		return fmt.Errorf("sockopt: %w", outer)
	}
	if inner != nil {
		return fmt.Errorf("keepalive %v: %w", request, inner)
	}
	return nil
}
