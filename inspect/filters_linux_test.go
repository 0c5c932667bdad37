package inspect_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/procnet"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// population is one of every kind, in the namespace of the thread.
type population struct {
	t         *testing.T
	addresses []string
	keep      []any
}

func (p *population) pair(network, address string) (client, server *net.TCPConn) {
	client, server = testkit.Pair(p.t, network, address)
	p.keep = append(p.keep, client, server)
	return client, server
}

func populate(t *testing.T) *population {
	p := &population{t: t, addresses: []string{"127.0.0.1:0", "127.0.0.2:0", "[::1]:0", testkit.Mapped}}
	testkit.IP(t, "link add ka0 type veth peer name ka1", "link set ka1 up", "addr add 192.0.2.1/24 dev ka0", "link set ka0 up",
		"neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev ka0")
	for _, address := range p.addresses {
		client, _ := p.pair("tcp", address)
		require.NoError(t, sockopt.Set(client, asked))
		l, err := net.Listen("tcp", strings.ReplaceAll(address, testkit.Mapped, ":0"))
		require.NoError(t, err)
		t.Cleanup(func() { l.Close() })
		half, _ := p.pair("tcp", address)
		require.NoError(t, half.CloseWrite())
		_, second := p.pair("tcp", address) // TIME-WAIT
		require.NoError(t, second.CloseWrite())
		p.keep[len(p.keep)-2].(*net.TCPConn).Close()
		second.Close()
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	require.ErrorIs(t, unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 9}, Port: 80}), unix.EINPROGRESS)
	return p
}

// many are n endpoints that match nothing, followed by some.
func many(n int, some ...string) (set []string) {
	for i := range n {
		set = append(set, fmt.Sprintf("203.0.113.1:%d", i+1))
	}
	return append(set, some...)
}

// The kernel's filter programs select the same sockets as a plain comparison of all
// sockets does, and /proc/net/tcp has the same ones.
func TestFiltersOfLists(t *testing.T) {
	t.Parallel()
	testkit.NeedIPv6(t)
	testkit.InNamespace(t, func() {
		p := populate(t)
		type id struct {
			local, peer netip.AddrPort
			state       inspect.State
		}
		snapshot := func() map[id]bool {
			all := map[id]bool{}
			for _, s := range list(t, inspect.Filter{States: allStates}) {
				all[id{s.Local, s.Peer, s.State}] = true
			}
			return all
		}
		var all map[id]bool
		states := map[inspect.State]int{}
		// Where there are so many of these, no FIN is on its way, and the listeners that the
		// pairs had are closed, which whoever borrows them for their settings delays.
		n := len(p.addresses)
		ended := map[inspect.State]int{inspect.FinWait2: n, inspect.CloseWait: n, inspect.TimeWait: n, inspect.Listen: n}
		testkit.Until(t, "all that was closed is", func() bool {
			all = snapshot()
			clear(states)
			for s := range all {
				states[s.state]++
			}
			for state, n := range ended {
				if states[state] != n {
					return false
				}
			}
			return true
		})
		for _, want := range []inspect.State{inspect.Established, inspect.Listen, inspect.SynSent} {
			assert.NotZero(t, states[want], want)
		}
		files, err := procnet.Open()
		require.NoError(t, err)
		require.NoError(t, procnet.Walk(files, func(e *procnet.Entry) bool {
			assert.True(t, all[id{e.Local, e.Remote, inspect.State(e.State)}], "%+v is in /proc/net/tcp only", e)
			return true
		}))

		somePort := p.keep[0].(*net.TCPConn).LocalAddr().(*net.TCPAddr).AddrPort().Port()
		port := fmt.Sprintf(":%d", somePort)
		sets := [][]string{
			nil,
			{"127.0.0.1"},
			{"127.0.0.0/8"},
			{"::1"},
			{"0.0.0.0/0"},
			{"::/0"},
			{"192.0.2.9:80"},
			{port},
			{"127.0.0.2", "::1", "192.0.2.0/24"},
			{port, "127.0.0.2"},
			{":1-79", ":81-65535"},
			{"2001:db8::/32"},
			{"*"},
			many(400, "192.0.2.0/24"),
			many(7000, "127.0.0.1", port), // longer than a message in 16 bits
		}
		parsed := make([][]endpoint.Endpoint, len(sets))
		for i, set := range sets {
			for _, text := range set {
				e, err := endpoint.Parse(text)
				require.NoError(t, err)
				parsed[i] = append(parsed[i], e)
			}
		}
		matches := func(set []endpoint.Endpoint, a netip.AddrPort) bool {
			for _, e := range set {
				addr := a.Addr()
				if e.Prefix.IsValid() && e.Prefix.Addr().Is4() {
					addr = addr.Unmap()
				}
				if (!e.Prefix.IsValid() || e.Prefix.Contains(addr)) && (e.LowPort == 0 || a.Port() >= e.LowPort && a.Port() <= e.HighPort) {
					return true
				}
			}
			return len(set) == 0
		}
		for _, network := range []string{"", "tcp4", "tcp6"} {
			for _, states := range [][]inspect.State{nil, allStates, {inspect.Listen}, {inspect.Established, inspect.TimeWait}} {
				wanted := states
				if states == nil {
					wanted = ofConnections
				}
				for i, local := range sets {
					for j, peer := range sets {
						if (network != "" || states != nil) && (len(local)+len(peer) > 1000 || (i+j)%4 != 0) && !testkit.LongTestsRun() {
							continue
						}
						f := inspect.Filter{Network: network, States: states, Local: local, Peer: peer}
						want := map[id]bool{}
						for s := range all {
							if slices.Contains(wanted, s.state) && (network == "" || s.local.Addr().Is4() == (network == "tcp4")) &&
								matches(parsed[i], s.local) && matches(parsed[j], s.peer) {
								want[s] = true
							}
						}
						got := map[id]bool{}
						for _, s := range list(t, f) {
							got[id{s.Local, s.Peer, s.State}] = true
						}
						if !assert.Equal(t, want, got, "%+v", f) {
							return
						}
					}
				}
			}
		}
	})
}
