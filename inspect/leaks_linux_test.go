package inspect_test

import (
	"errors"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// rawFD is a descriptor that no package owns.
type rawFD int

func (fd rawFD) Control(f func(uintptr)) error { f(uintptr(fd)); return nil }

func (rawFD) Read(func(uintptr) bool) error { panic("not to be used") }

func (rawFD) Write(func(uintptr) bool) error { panic("not to be used") }

func TestManyAtATimeBesideClose(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	h, err := inspect.NewHandle(client)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				for _, err := range []error{h.Alive(), second(h.Report())} {
					if err != nil && !errors.Is(err, net.ErrClosed) {
						t.Error(err)
					}
				}
			}
		})
	}
	client.Close()
	wg.Wait()
}

func second[T any](_ T, err error) error { return err }

// Not parallel: it counts descriptors.
func TestNothingLeaks(t *testing.T) {
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	of(t, client) // opens what stays open
	check := testkit.StartLeakCheck(t)
	for range 100 {
		of(t, client)
		inspect.Of(nil)
		for range inspect.List(inspect.Filter{States: allStates}) {
			break
		}
		for range inspect.List(inspect.Filter{}) {
		}
	}
	check.End(t)
}

func TestHandlesAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	if runtime.GOARCH == "386" || runtime.GOARCH == "s390x" {
		t.Skip("x/sys, which knows how socket calls are made here, allocates")
	}
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, asked))
	h, err := inspect.NewHandle(client)
	require.NoError(t, err)
	for rule, f := range map[string]func() error{
		"Report": func() error { return second(h.Report()) },
		"Alive":  h.Alive,
	} {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if err := f(); err != nil {
				panic(err)
			}
		}), rule)
	}
}
