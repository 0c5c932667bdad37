// Package kerneltest has a kernel for tests: one socket of a system, as its
// table describes it, or the running kernel. It fails and returns false values
// as a test demands, and records the calls.
package kerneltest

import (
	"fmt"
	"sync"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// At identifies a socket option by its level and number. The zero At stands for
// the ioctl SIO_KEEPALIVE_VALS.
type At [2]int

// A Fake is a [kernel.Kernel]. Its methods are safe for concurrent use; the
// fields must not be read or changed during a call.
type Fake struct {
	// Held are the options of the socket, in the kernel's units; an option that
	// is missing here does not exist. Held is nil if the running kernel answers.
	Held map[At]int
	Vals [3]uint32 // what SIO_KEEPALIVE_VALS has set

	FailSet  map[At]error  // the errors of calls that set
	FailCall map[int]error // the same, by the index of the call in Sets
	FailGet  map[At]error  // the errors of getsockopt
	Answer   map[At]int    // false values that getsockopt returns

	// Only restricts these four fields to some sockets.
	Only func(fd uintptr) bool

	Sets, Gets []At     // all calls in order, including failed ones
	Calls      []string // both: "set 0x6 0x4 60", "ioctl [1 60000 1000]", "get 0x6 0x4"

	mu    sync.Mutex
	specs []platform.Spec
}

// Running returns the running kernel.
func Running() *Fake {
	return &Fake{FailSet: map[At]error{}, FailCall: map[int]error{}, FailGet: map[At]error{}, Answer: map[At]int{}}
}

// Of returns a kernel with one new socket. The socket has the options of a
// table, all 0 or off, and refuses values outside their limits.
func Of(t *platform.Table) *Fake {
	k := Running()
	k.Held, k.specs = map[At]int{}, t.Specs
	for _, s := range t.Specs {
		k.Held[At{s.Level, s.Number}] = 0
	}
	return k
}

// Set is setsockopt.
func (k *Fake) Set(fd uintptr, level, number, value int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := At{level, number}
	if err := k.setting(fd, at, fmt.Sprintf("set %#x %#x %d", level, number, value)); err != nil {
		return err
	}
	if k.Held == nil {
		return kernel.System().Set(fd, level, number, value)
	}
	return k.hold(at, value)
}

// SetKeepAliveVals is the ioctl.
func (k *Fake) SetKeepAliveVals(fd uintptr, vals [3]uint32) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.setting(fd, At{}, fmt.Sprintf("ioctl %v", vals)); err != nil {
		return err
	}
	if k.Held == nil {
		return kernel.System().SetKeepAliveVals(fd, vals)
	}
	k.Vals = vals
	return k.hold(At{}, 1)
}

// Get is getsockopt.
func (k *Fake) Get(fd uintptr, level, number int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := At{level, number}
	k.Gets, k.Calls = append(k.Gets, at), append(k.Calls, fmt.Sprintf("get %#x %#x", level, number))
	if k.concerns(fd) {
		if err := k.FailGet[at]; err != nil {
			return 0, err
		}
		if answer, lies := k.Answer[at]; lies {
			return answer, nil
		}
	}
	if k.Held == nil {
		return kernel.System().Get(fd, level, number)
	}
	held, exists := k.Held[at]
	if !exists {
		return 0, ENOPROTOOPT
	}
	return held, nil
}

// setting records a call that sets and returns why it fails.
func (k *Fake) setting(fd uintptr, at At, call string) error {
	n := len(k.Sets)
	k.Sets, k.Calls = append(k.Sets, at), append(k.Calls, call)
	if !k.concerns(fd) {
		return nil
	}
	if err := k.FailCall[n]; err != nil {
		return err
	}
	return k.FailSet[at]
}

func (k *Fake) concerns(fd uintptr) bool { return k.Only == nil || k.Only(fd) }

// hold stores a value within the limits of the table.
func (k *Fake) hold(at At, value int) error {
	if _, exists := k.Held[at]; !exists {
		return ENOPROTOOPT
	}
	for _, s := range k.specs {
		if at == (At{s.Level, s.Number}) && refuses(&s, int64(value)) {
			return EINVAL
		}
	}
	k.Held[at] = value
	return nil
}

// refuses reports whether the value is outside the limits of the option. An
// unknown limit refuses nothing.
func refuses(s *platform.Spec, value int64) bool {
	if value == 0 {
		return s.Zero == "rejected"
	}
	return s.Min != platform.UnknownLimit && value < s.Min || s.Max != platform.UnknownLimit && value > s.Max
}
