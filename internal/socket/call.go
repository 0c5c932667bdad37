package socket

import (
	"fmt"
	"syscall"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A call is what a visit of this package needs and finds out.
type call struct {
	os       OS
	askKind  bool                                            // refuse a socket that is not TCP
	listens  func(k kernel.Kernel, fd uintptr) (bool, error) // refuse a listening socket; nil: do not ask
	setter   *Setter                                         // for apply
	own      Setter                                          // the setter of a single use, see Setter.SetOnce
	settings platform.Settings                               // the answer of read
	kind     kernel.Kind                                     // the answer of ask
}

var calls Visits[call]

// apply sets and verifies what the setter says.
func (c *call) apply(fd uintptr) error {
	if err := c.allowed(fd); err != nil {
		return err
	}
	return c.setter.sets.Apply(c.os.calls(), fd, &c.setter.verifies)
}

func (c *call) read(fd uintptr) (err error) {
	if err := c.allowed(fd); err != nil {
		return err
	}
	c.settings, err = c.os.Rules().Read(c.os.calls(), fd)
	return err
}

func (c *call) ask(fd uintptr) (err error) {
	c.kind, err = kindOf(c.os.calls(), fd)
	return err
}

func (c *call) nothing(uintptr) error { return nil }

// allowed returns why the socket may not be used.
func (c *call) allowed(fd uintptr) error {
	if c.askKind {
		if err := c.ask(fd); err != nil {
			return err
		}
		if c.kind == kernel.NotTCP {
			return ErrNotTCP
		}
	}
	if c.listens == nil {
		return nil
	}
	is, err := c.listens(c.os.calls(), fd)
	if err == nil && is {
		return onListener(c.os.Rules())
	}
	return err
}

// kindOf is [kernel.KindOf]. It can fail for one reason: the descriptor is not a
// socket.
func kindOf(k kernel.Kernel, fd uintptr) (kernel.Kind, error) {
	kind, err := kernel.KindOf(k, fd)
	if err != nil {
		return kind, fmt.Errorf("%w: %w", ErrNoSocket, err)
	}
	return kind, nil
}

// visit makes a call and returns the visit to the pool. outer is the error of getting the
// descriptor (a closed connection), inner that of the task.
func visit(v *Visit[call], rc syscall.RawConn, task func(*call, uintptr) error) (s platform.Settings, kind kernel.Kind, inner, outer error) {
	inner, outer = v.On(rc, task)
	s, kind = v.Data.settings, v.Data.kind
	v.Data = call{}
	calls.Put(v)
	return s, kind, inner, outer
}
