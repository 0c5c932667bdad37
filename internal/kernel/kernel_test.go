package kernel_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// where is a socket option's address: level and number.
type where [2]int

// fakeKernel keeps options as a kernel does, unless told to fail or to lie. It
// stands for the call plan and the handling of errors only; what a real kernel
// does with the values it cannot tell.
type fakeKernel struct {
	held  map[where]int
	vals  [3]uint32
	calls []string

	// failCall is the error of the n-th setting call, counted from 0.
	failCall map[int]error
	// failGet is the error of getsockopt.
	failGet map[where]error
	// answer is what getsockopt says in place of the truth.
	answer map[where]int

	settings int
}

func (k *fakeKernel) next() error {
	err := k.failCall[k.settings]
	k.settings++
	return err
}

func (k *fakeKernel) Set(_ uintptr, level, number, value int) error {
	k.calls = append(k.calls, fmt.Sprintf("set %#x %#x %d", level, number, value))
	if err := k.next(); err != nil {
		return err
	}
	k.held[where{level, number}] = value
	return nil
}

func (k *fakeKernel) SetKeepAliveVals(_ uintptr, vals [3]uint32) error {
	k.calls = append(k.calls, fmt.Sprintf("ioctl %v", vals))
	if err := k.next(); err != nil {
		return err
	}
	k.vals = vals
	return nil
}

func (k *fakeKernel) Get(_ uintptr, level, number int) (int, error) {
	k.calls = append(k.calls, fmt.Sprintf("get %#x %#x", level, number))
	at := where{level, number}
	if err := k.failGet[at]; err != nil {
		return 0, err
	}
	if v, lies := k.answer[at]; lies {
		return v, nil
	}
	v, exists := k.held[at]
	if !exists {
		return 0, errNOPROTOOPT
	}
	return v, nil
}

// newKernel returns a kernel that has the given options, all 0 or off.
func newKernel(options ...where) *fakeKernel {
	k := &fakeKernel{held: map[where]int{}, failCall: map[int]error{}, failGet: map[where]error{}, answer: map[where]int{}}
	for _, at := range options {
		k.held[at] = 0
	}
	return k
}

// The addresses that the tests speak of, from the systems' headers.
var (
	linuxKeepAlive   = where{1, 9}
	linuxIdle        = where{6, 4}
	linuxInterval    = where{6, 5}
	linuxCount       = where{6, 6}
	linuxUserTimeout = where{6, 18}
	linuxOptions     = []where{linuxKeepAlive, linuxIdle, linuxInterval, linuxCount, linuxUserTimeout}

	bsdKeepAlive = where{0xffff, 8}
)

func table(t testing.TB, name string) *Rules {
	t.Helper()
	tbl, ok := platform.Lookup(name)
	require.True(t, ok, "no table %q", name)
	return RulesOf(tbl)
}

func plan(t testing.TB, name string, r Request) Plan {
	t.Helper()
	p, faults := table(t, name).Plan(r)
	require.NoError(t, faults.Err(), name)
	return p
}

// steps writes a plan as its calls.
func steps(p Plan) []string {
	var text []string
	for _, s := range p.Steps() {
		text = append(text, s.String())
	}
	return text
}

// parts returns the single errors of a joined one.
func parts(err error) []error {
	switch e := err.(type) {
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return []error{err}
}
