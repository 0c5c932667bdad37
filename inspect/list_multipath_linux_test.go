package inspect_test

import (
	"net"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// The state of a connection as a whole comes from the namespace that is listed, not
// from that of the program.
func TestListOfMultipathTCPInAnotherNamespace(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	ns := lab.NewNamespace(t)
	var client, server *net.TCPConn
	require.NoError(t, ns.Do(func() error {
		client, server = multipathPair(t, true, "127.0.0.1:0")
		return nil
	}))
	require.NoError(t, server.CloseWrite())
	local := client.LocalAddr().(*net.TCPAddr).AddrPort()
	file, err := os.Open(ns.Path())
	require.NoError(t, err)
	defer file.Close()
	testkit.Until(t, "the client's connection is in CLOSE-WAIT, its subflow established", func() bool {
		return slices.ContainsFunc(list(t, inspect.Filter{Namespace: file, Activity: true}), func(s inspect.Report) bool {
			return s.Local == local && s.State == inspect.CloseWait && s.Subflow == inspect.Established
		})
	})
}

// If the states of whole connections cannot be read, the states of their subflows do not
// take their place.
func TestListSaysThatStatesOfMultipathTCPAreMissing(t *testing.T) {
	if !testkit.InChild(t, nil) {
		return
	}
	testkit.NeedMultipath(t)
	_, server := multipathPair(t, true, "127.0.0.1:0")
	require.NoError(t, server.CloseWrite())
	testkit.WithSpareDescriptors(t, 2, func(spare int) { // one is enough for the list of subflows
		n := 0
		var failure error
		for _, err := range inspect.List(inspect.Filter{Activity: true}) {
			if failure = err; err == nil {
				n++
			}
		}
		require.ErrorIs(t, failure, unix.EMFILE, "with %d descriptors", spare)
		if spare == 1 {
			assert.ErrorContains(t, failure, "the states of Multipath TCP connections")
			assert.NotZero(t, n, "the list itself")
		}
	})
}
