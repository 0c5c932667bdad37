package kernel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	. "github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/platform"
)

// The addresses that the tests speak of, from the systems' headers.
var (
	linuxKeepAlive   = At{1, 9}
	linuxIdle        = At{6, 4}
	linuxInterval    = At{6, 5}
	linuxCount       = At{6, 6}
	linuxUserTimeout = At{6, 18}

	bsdKeepAlive = At{0xffff, 8}
)

func table(t testing.TB, name string) *Rules {
	t.Helper()
	tbl, ok := platform.Lookup(name)
	require.True(t, ok, "no table %q", name)
	return RulesOf(tbl)
}

// fake returns a socket of the system that a table describes.
func fake(t testing.TB, name string) *Fake {
	t.Helper()
	return Of(&table(t, name).Table)
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
