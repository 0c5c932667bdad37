package check

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestCheck(t *testing.T) {
	good := sockopt.Config{Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	quick := sockopt.Config{Idle: 20 * time.Second, Interval: 5 * time.Second, Count: 3, UserTimeout: 35 * time.Second}
	for _, tt := range []struct {
		rule string
		cfg  sockopt.Config
		args []string
		code int
		want string
	}{
		{"off", sockopt.Config{Disabled: true}, nil, exit.Problems, `loses +on,idle=60s,interval=6s,count=3,user-timeout=79s +keepalive is off`},
		{"system's defaults", sockopt.Config{}, nil, exit.Problems, `loses +idle=60s,interval=6s,count=3,user-timeout=79s +the first probe comes up to [\d.]+s`},
		{"survives", good, nil, exit.OK, `^$`},
		{"too slow to notice", good, []string{"--detect", "60s"}, exit.Problems, `unnoticed +idle=40s,interval=4s,user-timeout=53s +idle: a dead peer is noticed up to`},
		{"quick enough", quick, []string{"--detect", "60s"}, exit.OK, `^$`},
		{"too slow to notice, on a path nobody knows", good, []string{"--path", "linkerd", "--detect", "60s"}, exit.Problems, `unnoticed .*whether it survives is not known: `},
		{"quick enough, on a path nobody knows", quick, []string{"--path", "linkerd", "--detect", "60s"}, exit.Unknown, `unknown `},
		{"a proxy", good, []string{"--path", "aws-alb"}, exit.Problems, `needs a heartbeat +HTTP request every 58s, or drop it after 58s unused`},
		{"a proxy nobody knows the timeout of", good, []string{"--path", "haproxy"}, exit.Problems, `how often is not known`},
		{"an assumption", good, []string{"--path", "aws-vpc-endpoint"}, exit.Unknown, `survives if +- +a probe refreshes aws-vpc-endpoint`},
		{"an accepted one", good, []string{"--path", "aws-vpc-endpoint", "--assume-refresh"}, exit.OK, `^$`},
		{"a path nobody knows", good, []string{"--path", "linkerd"}, exit.Unknown, `unknown +- +the timeout of linkerd is not known`},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			if tt.cfg == (sockopt.Config{}) && testkit.Untouched().Idle < 350 {
				t.Skip("this machine's default of the idle time survives the path")
			}
			args := append([]string{"check", "--path", "aws-nlb-tcp"}, clitest.Ours(t, tt.cfg)...)
			code, out, errs := command(append(args, tt.args...)...)
			assert.Equal(t, tt.code, code, out+errs)
			assert.Regexp(t, tt.want, out)
			assert.Contains(t, errs, "checked 1: ")
		})
	}
}

// TestCheckOnAPathThatNobodyKnows: a death that is noticed too late is, whatever the path does.
func TestCheckOnAPathThatNobodyKnows(t *testing.T) {
	t.Parallel()
	ours := clitest.Ours(t, sockopt.Config{Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second})
	off := clitest.Ours(t, sockopt.Config{Disabled: true})
	const notKnown = `; whether it survives is not known: nothing on this leg is known to forget it`
	for _, tt := range []struct {
		ours   []string
		detect string
		code   int
		out    string
	}{
		{ours, "60s", exit.Problems, `unnoticed +idle=40s,interval=4s,user-timeout=53s +idle: a dead peer is noticed up to [^;]*` + notKnown},
		{ours, "10m", exit.Unknown, `unknown +- +nothing on this leg is known to forget it`},
		{off, "2h", exit.Problems, `unnoticed +on,.* +idle: keepalive is off: never noticed` + notKnown},
	} {
		code, out, errs := command(append([]string{"check", "--path", "postgresql", "--detect", tt.detect}, tt.ours...)...)
		assert.Equal(t, tt.code, code, out+errs)
		assert.Regexp(t, tt.out, out)
	}
}

// TestCheckNamesTheLeg: behind a proxy there is another connection, which was not judged.
func TestCheckNamesTheLeg(t *testing.T) {
	t.Parallel()
	good := sockopt.Config{Idle: 60 * time.Second, Interval: 6 * time.Second, Count: 3, UserTimeout: 79 * time.Second}
	ours := clitest.Ours(t, good)
	for _, tt := range []struct {
		path, server string
		code         int
		errs         string
	}{
		{"aws-nlb-tls,box:30s", "--server=false", exit.OK, `^judged as the client's leg client - aws-nlb-tls; --server judges the server's\nchecked 1: 0 bad`},
		{"aws-nlb-tls,box:30s", "--server", exit.Problems, `^judged as the server's leg aws-nlb-tls - server\nchecked 1: 1 bad`},
		{"aws-nlb-tcp,box:300s", "--server=false", exit.OK, `^checked 1: 0 bad`},
	} {
		code, out, errs := command(append([]string{"check", "--path", tt.path, tt.server}, ours...)...)
		assert.Equal(t, tt.code, code, out+errs)
		assert.Regexp(t, tt.errs, errs)
	}
}

// TestCheckOfHalfClosedConnections holds both ends, FIN-WAIT-2 and CLOSE-WAIT, against the
// timeout of half-closed connections, which is unknown for most.
func TestCheckOfHalfClosedConnections(t *testing.T) {
	t.Parallel()
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	for _, c := range []*net.TCPConn{client, server} {
		require.NoError(t, sockopt.Set(c, sockopt.Config{Idle: 55 * time.Second, Interval: 5 * time.Second, Count: 3, UserTimeout: 90 * time.Second}))
	}
	for _, half := range []bool{false, true} {
		if half {
			require.NoError(t, client.CloseWrite())
			_, err := server.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
			testkit.Until(t, "the client's end is half-closed", func() bool {
				r, err := inspect.Of(client)
				return err == nil && r.State == inspect.FinWait2
			})
		}
		for path, want := range map[string]struct {
			code int
			out  string
		}{
			"linux-conntrack": {exit.Problems, `(?m)loses +idle=\S+ +.*linux-conntrack forgets it after 60s$`},
			"aws-nlb-tcp":     {exit.Unknown, `(?m)unknown +- +the timeout of half-closed connections of aws-nlb-tcp is unknown$`},
			"box:350s":        {exit.Unknown, `(?m)unknown +- +the timeout of half-closed connections of box:350s is unknown$`},
			"box:350s/60s":    {exit.Problems, `(?m)loses +idle=41s,user-timeout=57s +.*box:350s/60s forgets it after 60s$`},
			"box:350s/350s":   {exit.OK, `^$`},
		} {
			if !half {
				want.code, want.out = exit.OK, `^$`
			}
			for _, c := range []*net.TCPConn{client, server} {
				code, out, errs := command("check", "--path", path, "--local", c.LocalAddr().String(), "--peer", c.RemoteAddr().String())
				assert.Equal(t, want.code, code, "%s %v: %s%s", path, half, out, errs)
				assert.Regexp(t, want.out, out, path)
				assert.Contains(t, errs, "checked 1: ")
			}
		}
	}
}

// TestWhatAHalfClosedConnectionRestsOn is named, and not what the plan rests on.
func TestWhatAHalfClosedConnectionRestsOn(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: 10 * time.Second, Interval: time.Second, Count: 3, UserTimeout: 20 * time.Second}))
	require.NoError(t, client.CloseWrite())
	testkit.Until(t, "the client's end is half-closed", func() bool {
		r, err := inspect.Of(client)
		return err == nil && r.State == inspect.FinWait2
	})
	code, out, errs := command("check", "--path", "gcp-cloud-nat", "--assume-refresh", "--local", client.LocalAddr().String(), "--peer", client.RemoteAddr().String())
	assert.Equal(t, exit.Unknown, code, out)
	assert.Contains(t, errs, "gcp-cloud-nat: its idle timeout: 30s (inferred)")
}

func TestCheckJSON(t *testing.T) {
	good := clitest.Ours(t, sockopt.Config{Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second})
	bad := clitest.Ours(t, sockopt.Config{Disabled: true})
	for _, tt := range []struct {
		flags   []string
		code    int
		verdict string
	}{{good, exit.OK, "survives"}, {bad, exit.Problems, "loses"}} {
		code, out, _ := command(append([]string{"check", "--json", "--path", "aws-nlb-tcp"}, tt.flags...)...)
		assert.Equal(t, tt.code, code)
		var r checkRecord
		d := json.NewDecoder(strings.NewReader(out))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&r))
		var end summaryRecord
		require.NoError(t, d.Decode(&end))
		assert.Equal(t, summary{Checked: 1, Bad: int(tt.code)}, end.Summary)
		_, help, _ := command("check", "--json", "--help")
		for _, field := range append(clitest.Fields(t, r), clitest.Fields(t, end.Summary)...) {
			assert.Contains(t, help, field)
		}
		assert.Equal(t, tt.verdict, r.Verdict)
		assert.Equal(t, tt.verdict == "loses", r.Bad)
		assert.Equal(t, r.Bad, r.Change != "")
		assert.Equal(t, !r.Bad, r.Margin != nil)
		assert.True(t, slices.ContainsFunc(r.Processes, func(p record.Process) bool { return p.PID == os.Getpid() }), "%v", r.Processes)
	}
}

// What stays on this machine crosses no path.
func TestCheckLeavesLoopbackOut(t *testing.T) {
	flags := clitest.Ours(t, sockopt.Config{Disabled: true})
	code, out, errs := command("check", "--path", "aws-nlb-tcp", "--local", flags[1])
	assert.Equal(t, exit.Nothing, code, out)
	// The kernel gives a port again, to a connection to somewhere else.
	assert.Regexp(t, `checked 0: 0 bad, 0 unknown; left out [1-9]\d* that stay on this machine`, errs)
}

// The settings of other users' sockets cannot be read, which is no verdict.
func TestCheckWithoutPermission(t *testing.T) {
	clitest.InTurn(t)
	const address, peer = "KEEPALIVE_TEST_ADDRESS", "KEEPALIVE_TEST_PEER" // of root's connection, for the child
	if os.Getenv(address) == "" {
		client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		clitest.TellChild(t, address, client.LocalAddr().String())
		clitest.TellChild(t, peer, client.RemoteAddr().String())
	}
	if !testkit.InChildAsNobody(t) {
		return
	}
	code, out, errs := command("check", "--path", "aws-nlb-tcp", "--local", os.Getenv(address), "--peer", os.Getenv(peer))
	assert.Equal(t, exit.Denied, code)
	assert.Regexp(t, `\? +unknown +-`, out)
	assert.Contains(t, errs, "1 of 1 connections cannot be judged")
}

func TestCheckWrongUse(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "--path is missing"},
		{[]string{"--path", "aws-nlb"}, "did you mean"},
		{[]string{"nginx.conf"}, `"nginx.conf" is not understood; did you mean --file nginx.conf?`},
		{[]string{"a.conf", "/etc/b"}, `"a.conf" is not understood; did you mean --file a.conf --file /etc/b?`},
		{[]string{"aws-nlb-tcp"}, `"aws-nlb-tcp" is not understood; did you mean --path aws-nlb-tcp?`},
		{[]string{"everything"}, `"everything" is not understood; see keepalive check --help`},
		{[]string{"--path", "aws-nlb-tcp", "--peer", "x"}, "--peer"},
		{[]string{"--path", "aws-nlb-tcp", "--pid", "-1"}, "--pid -1"},
		{[]string{"--path", "aws-nlb-tcp", "--detect", "1ms"}, "is impossible"},
	} {
		code, out, errs := command(append([]string{"check"}, tt.args...)...)
		assert.Equal(t, exit.Usage, code, "%s", tt.args)
		assert.Contains(t, errs, tt.want)
		assert.Empty(t, out)
	}
}

// Multipath TCP has no user timeout, which is known: there is a verdict.
func TestCheckOfMultipathTCP(t *testing.T) {
	testkit.NeedMultipath(t)
	var lc net.ListenConfig
	lc.SetMultipathTCP(true)
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	var d net.Dialer
	d.SetMultipathTCP(true)
	client, err := d.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	server := testkit.Accept(t, l, client)
	check := func(args ...string) (int, string) {
		code, out, _ := command(append([]string{"check", "--path", "aws-nlb-tcp", "--peer", l.Addr().String()}, args...)...)
		return code, out
	}
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3}))
	code, out := check()
	assert.Equal(t, exit.OK, code, out)
	code, out = check("--detect", "150s")
	assert.Equal(t, exit.Problems, code, out)
	assert.Regexp(t, `unnoticed .*idle: a dead peer is noticed up to 16\d`, out, "100 s of keepalive and a minute until the socket tells")
	assert.NotContains(t, out, "user-timeout", "it cannot have one")
	require.NoError(t, sockopt.Set(client, sockopt.Config{Disabled: true}))
	code, out = check()
	assert.Equal(t, exit.Problems, code, out)
	assert.Regexp(t, `loses +on,interval=6s +keepalive is off`, out)

	require.NoError(t, server.Close())
	testkit.Until(t, "the peer's FIN", func() bool { return errors.Is(inspect.Alive(client), inspect.ErrPeerClosed) })
	_, out, _ = command("ls", "--peer", l.Addr().String(), "--json")
	assert.Contains(t, out, `"state":"CLOSE-WAIT"`)
}

// Without a user timeout the machine's retransmissions decide, not a kernel's
// defaults.
func TestCheckKnowsTheMachine(t *testing.T) {
	clitest.InTurn(t)
	testkit.InNamespace(t, func() {
		flags := clitest.Ours(t, sockopt.Config{Idle: 20 * time.Second, Interval: 5 * time.Second, Count: 3, UserTimeout: sockopt.NoUserTimeout})
		for retries, want := range map[string]int{"15": exit.Problems, "3": exit.OK} {
			require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_retries2", []byte(retries), 0))
			code, out, _ := command(append([]string{"check", "--path", "aws-nlb-tcp", "--detect", "60s"}, flags...)...)
			assert.Equal(t, want, code, "tcp_retries2=%s: %s", retries, out)
		}
		// What the socket holds decides, not what a new one would get.
		require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/tcp_retries2", []byte("15"), 0))
		if err := os.WriteFile("/proc/sys/net/ipv4/tcp_rto_max_ms", []byte("1000"), 0); err != nil {
			return // before Linux 6.15
		}
		code, out, _ := command(append([]string{"check", "--path", "aws-nlb-tcp", "--detect", "60s"}, flags...)...)
		assert.Equal(t, exit.Problems, code, out)
		flags = clitest.Ours(t, sockopt.Config{Idle: 20 * time.Second, Interval: 5 * time.Second, Count: 3, UserTimeout: sockopt.NoUserTimeout})
		code, out, _ = command(append([]string{"check", "--path", "aws-nlb-tcp", "--detect", "60s"}, flags...)...)
		assert.Equal(t, exit.OK, code, out)
	})
}
