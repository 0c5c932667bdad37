package inspect_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/inspect"
)

func TestAnInvalidFilterIsAnErrorBeforeAnyList(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]inspect.Filter{
		"Filter.States: State(14) is not a state of a socket":                    {States: []inspect.State{inspect.Listen, 14}},
		"Filter.States: UNKNOWN is not a state of a socket":                      {States: []inspect.State{inspect.StateUnknown}},
		`Filter.Network="udp" is neither tcp, tcp4 nor tcp6`:                     {Network: "udp"},
		`Filter.Peer: ":5-4": ports "5-4": the first is greater than the last`:   {Peer: []string{":5-4"}},
		`Filter.Local: "localhost:80": "localhost" is neither an IP address nor`: {Local: []string{"::1", "localhost:80"}},
		`Filter.Local: fe80::1%none77: there is no interface named none77`:       {Local: []string{"fe80::1%none77"}},
		"Filter.Settings needs Filter.Owners":                                    {Settings: true},
	} {
		n := 0
		for r, err := range inspect.List(f) {
			n++
			assert.Nil(t, r)
			assert.ErrorContains(t, err, "inspect: ")
			assert.ErrorContains(t, err, want)
		}
		assert.Equal(t, 1, n, want)
	}
}
