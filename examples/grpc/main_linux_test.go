package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestMain(m *testing.M) { lab.Main(m) }

func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(&out))
	assert.Equal(t, "health SERVING\n"+
		"client on idle=60s interval=6s count=3 user-timeout=79s\n"+
		"server on idle=60s interval=6s count=3 user-timeout=79s\n", out.String())
}

func check(t *testing.T, c *runningClient) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	require.NoError(t, err)
}

func get(t *testing.T, c net.Conn) platform.Settings {
	t.Helper()
	s, err := sockopt.Get(c)
	require.NoError(t, err)
	return s
}

// grpc-go's own keepalive parameters would set a user timeout on both ends, and on
// servers they do so by default. Pinned connections keep theirs, and the pings of
// gRPC work all the same.
func TestPinnedConnectionsKeepTheirUserTimeout(t *testing.T) {
	t.Parallel()
	cfg := sockopt.Recommended()
	server, err := serve(cfg, grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 7 * time.Second}))
	require.NoError(t, err)
	defer server.Stop()
	client, err := connect(cfg, server.address, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 7 * time.Second}))
	require.NoError(t, err)
	defer client.Close()
	check(t, client)
	assert.Equal(t, time.Minute, get(t, <-server.conns).UserTimeout)
	assert.Equal(t, time.Minute, get(t, <-client.conns).UserTimeout)
}

// What happens without: a plain listener, and a server that was told nothing.
func TestUnpinnedServersOverwriteIt(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conns := make(chan net.Conn, 1)
	server := grpc.NewServer()
	go server.Serve(watched{l, conns})
	defer server.Stop()
	client, err := connect(sockopt.Recommended(), l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	client.Connect()
	c := <-conns
	for range 200 { // it is set while the server shakes hands
		if get(t, c).UserTimeout != 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	assert.Equal(t, 20*time.Second, get(t, c).UserTimeout)
}

// A server that is not pinned hears of it: what it asked for, and what the
// connection holds since grpc-go got it.
func TestAnOverwrittenConnectionIsSeen(t *testing.T) {
	t.Parallel()
	for rule, cfg := range map[string]sockopt.Config{
		"over the one asked for": sockopt.Recommended(),
		"where none was asked":   {Idle: 4 * time.Minute, Interval: 15 * time.Second, Count: 3},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			heard := make(chan error, 1)
			lc := listener.ListenConfig{Config: cfg, VerifyAfter: 3 * time.Second, OnError: func(_ net.Conn, err error) { heard <- err }}
			l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			server := grpc.NewServer()
			grpc_health_v1.RegisterHealthServer(server, health.NewServer())
			conns := make(chan net.Conn, 1)
			go server.Serve(watched{l, conns})
			defer server.Stop()
			client, err := connect(cfg, l.Addr().String())
			require.NoError(t, err)
			defer client.Close()
			check(t, client) // by now it has happened

			asked := sockopt.Config{UserTimeout: cfg.UserTimeout}
			if cfg.UserTimeout == 0 {
				asked.UserTimeout = sockopt.NoUserTimeout
			}
			want := fmt.Sprintf("TCP_USER_TIMEOUT: asked for %d, the kernel holds 20000", cfg.UserTimeout.Milliseconds())
			assert.ErrorContains(t, sockopt.Verify(<-conns, asked), want, "looked at by hand")
			err = <-heard
			assert.ErrorContains(t, err, "overwritten within 3s of accept")
			assert.ErrorContains(t, err, want)
		})
	}
}

// throughBalancer makes a server with this Config and a client that was answered
// once, with a router between them, and returns what the server accepted.
func throughBalancer(t *testing.T, cfg sockopt.Config, pinned bool, parameters keepalive.ServerParameters) (*lab.Balancer, *runningClient, net.Conn) {
	t.Helper()
	b := lab.NewBalancer(t, time.Hour, lab.Drops)
	var server *runningServer
	require.NoError(t, b.Server.Do(func() (err error) {
		server, err = serveOn(":0", cfg, pinned, grpc.KeepaliveParams(parameters))
		return err
	}))
	t.Cleanup(server.Stop)
	_, port, err := net.SplitHostPort(server.address)
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	var conn net.Conn
	require.NoError(t, b.Client.Do(func() (err error) {
		conn, err = new(net.Dialer).Dial("tcp", b.Address(number))
		return err
	}))
	client := over(t, conn)
	check(t, client)
	return b, client, <-server.conns
}

// over makes a client of a connection that is there.
func over(t *testing.T, conn net.Conn) *runningClient {
	t.Helper()
	client, err := grpc.NewClient("passthrough:///server", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return conn, nil }))
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return &runningClient{ClientConn: client}
}

// TestOneLostProbeKillsNobody: the server's probes go unanswered for a while. With
// grpc-go's user timeout one lost probe is the end; a pinned connection survives.
// The times are scaled down: a user timeout that is shorter than idle + interval.
func TestOneLostProbeKillsNobody(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	for _, tt := range []struct {
		name     string
		timeout  time.Duration // what grpc-go may set
		cfg      sockopt.Config
		pinned   bool
		survives bool
	}{
		{"overwritten", time.Second, sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 9}, false, false},
		{"pinned", time.Second, sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 9, UserTimeout: 11 * time.Second}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, client, accepted := throughBalancer(t, tt.cfg, tt.pinned, keepalive.ServerParameters{Time: time.Hour, Timeout: tt.timeout})
			heal := b.Lose()
			time.Sleep(2500 * time.Millisecond) // the first probe, after 1 s, is lost
			heal()
			time.Sleep(2 * time.Second)
			_, err := sockopt.Get(accepted)
			alive := err == nil
			assert.Equal(t, tt.survives, alive, "%v", err)
			if tt.survives {
				check(t, client)
			}
		})
	}
}

// Where probes do not help, a plan's heartbeat becomes gRPC's: its pings go out, and
// the server permits them.
func TestHeartbeatOfAPlan(t *testing.T) {
	t.Parallel()
	testkit.Long(t)                            // gRPC takes no period below 10 s
	path, err := align.Path("envoy-tcp-proxy") // where HTTP does not end, a ping is data
	require.NoError(t, err)
	path[0], err = path[0].WithTimeout(14 * time.Second)
	require.NoError(t, err)
	plan, err := align.Request{Path: path}.Plan()
	require.NoError(t, err)
	period, timeout, err := plan.Heartbeat.GRPC()
	require.NoError(t, err)
	require.Equal(t, 12*time.Second, period)

	server, err := serve(plan.Config, grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: period / 2, PermitWithoutStream: true}))
	require.NoError(t, err)
	defer server.Stop()
	client, err := connect(plan.Config, server.address, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: period, Timeout: timeout, PermitWithoutStream: true}))
	require.NoError(t, err)
	defer client.Close()
	check(t, client)
	conn := <-server.conns
	before := received(t, conn)
	time.Sleep(period + 2*time.Second)
	assert.Greater(t, received(t, conn), before, "a ping came")
	assert.Equal(t, connectivity.Ready, client.GetState())
}

// TestKeepaliveFullyOff: no probe leaves, on either side, with no edit of Go's
// source. The kernel counts the probes of a network namespace.
func TestKeepaliveFullyOff(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]sockopt.Config{
		"off": {Disabled: true},
		"on":  {Idle: time.Second, Interval: time.Second, Count: 9}, // or the test could not fail
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := lab.NewNamespace(t)
			var server *runningServer
			var conn net.Conn
			require.NoError(t, n.Do(func() (err error) {
				if server, err = serveOn("127.0.0.1:0", cfg, true); err != nil {
					return err
				}
				client, err := connect(cfg, server.address)
				if err != nil {
					return err
				}
				defer client.Close()
				conn, err = client.dial(context.Background(), server.address)
				return err
			}))
			defer server.Stop()
			check(t, over(t, conn))
			assert.Equal(t, name == "on", get(t, <-server.conns).Enabled)
			assert.Equal(t, name == "on", get(t, conn).Enabled)
			time.Sleep(3500 * time.Millisecond)
			probes := probesOf(t, n)
			if name == "on" {
				assert.GreaterOrEqual(t, probes, 4, "two on each side")
			} else {
				assert.Zero(t, probes)
			}
		})
	}
}

// probesOf is how many keepalive probes a namespace has sent.
func probesOf(t *testing.T, n *lab.Namespace) int {
	t.Helper()
	var text []byte
	require.NoError(t, n.Do(func() (err error) {
		text, err = os.ReadFile(filepath.Join("/proc/thread-self/net", "netstat"))
		return err
	}))
	lines := strings.Split(string(text), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for j, name := range names {
			if name == "TCPKeepAlive" {
				probes, err := strconv.Atoi(values[j])
				require.NoError(t, err)
				return probes
			}
		}
	}
	t.Fatal("the kernel does not count probes")
	return 0
}

// received is how many segments with data a connection has received.
func received(t *testing.T, c net.Conn) uint32 {
	t.Helper()
	raw, err := socket.RawConn(c)
	require.NoError(t, err)
	var info *unix.TCPInfo
	var infoErr error
	require.NoError(t, raw.Control(func(fd uintptr) {
		info, infoErr = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}))
	require.NoError(t, infoErr)
	return info.Data_segs_in
}

// gRPC's own keepalive works on pinned connections: the server's pings notice a dead
// client long before TCP would.
func TestPingsOfGRPCStillWork(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	cfg := sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	b, _, accepted := throughBalancer(t, cfg, true, keepalive.ServerParameters{Time: time.Second, Timeout: time.Second})
	time.Sleep(2500 * time.Millisecond) // a ping, and the time for its answer
	_, err := sockopt.Get(accepted)
	require.NoError(t, err, "pings are answered")
	b.Break()
	began := time.Now()
	for time.Since(began) < 10*time.Second {
		if _, err = sockopt.Get(accepted); err != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	assert.ErrorIs(t, err, net.ErrClosed)
	assert.Less(t, time.Since(began), 5*time.Second)
}

// Every form of a target reaches the server with a tuned connection.
func TestTargets(t *testing.T) {
	t.Parallel()
	server, err := serve(sockopt.Recommended())
	require.NoError(t, err)
	defer server.Stop()
	_, port, err := net.SplitHostPort(server.address)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "socket")
	abstract := fmt.Sprintf("keepalive-test-%d", os.Getpid())
	for _, address := range []string{path, "@" + abstract} {
		l, err := net.Listen("unix", address)
		require.NoError(t, err)
		go server.Serve(l)
	}
	for target, tcp := range map[string]bool{
		server.address: true, "localhost:" + port: true, "dns:///localhost:" + port: true,
		"passthrough:///" + server.address: true,
		"unix://" + path:                   false, "unix:" + path: false, "unix-abstract:" + abstract: false,
	} {
		client, err := connect(sockopt.Recommended(), target)
		require.NoError(t, err, target)
		check(t, client)
		c := <-client.conns
		if tcp {
			assert.Equal(t, sockopt.Recommended(), sockopt.FromSettings(get(t, c)), target)
		} else {
			assert.Equal(t, "unix", c.RemoteAddr().Network(), target)
		}
		client.Close()
	}
}
