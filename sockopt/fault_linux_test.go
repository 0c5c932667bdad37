package sockopt_test

import (
	"errors"
	"maps"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

var (
	soKeepAlive = kerneltest.At{unix.SOL_SOCKET, unix.SO_KEEPALIVE}
	soProtocol  = kerneltest.At{unix.SOL_SOCKET, unix.SO_PROTOCOL}
	keepIdle    = kerneltest.At{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}
	keepIntvl   = kerneltest.At{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}
	keepCnt     = kerneltest.At{unix.IPPROTO_TCP, unix.TCP_KEEPCNT}
	userTimeout = kerneltest.At{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT}
)

// fakeSocket is a new TCP socket of this system.
func fakeSocket() *kerneltest.Fake {
	k := kerneltest.Of(platform.Current())
	k.Held[soProtocol] = unix.IPPROTO_TCP
	return k
}

var (
	fullConfig = sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	fullValues = map[kerneltest.At]int{soProtocol: unix.IPPROTO_TCP,
		soKeepAlive: 1, keepIdle: 60, keepIntvl: 10, keepCnt: 3, userTimeout: 90000}
)

const fullText = "keepalive idle=60s,interval=10s,count=3,user-timeout=90s: "

var fullCalls = []struct {
	option platform.Option
	key    kerneltest.At
	symbol string
	value  string
	number int
}{
	{platform.KeepAlive, soKeepAlive, "SO_KEEPALIVE", "1", 1},
	{platform.Idle, keepIdle, "TCP_KEEPIDLE", "60", 60},
	{platform.Interval, keepIntvl, "TCP_KEEPINTVL", "10", 10},
	{platform.Count, keepCnt, "TCP_KEEPCNT", "3", 3},
	{platform.UserTimeout, userTimeout, "TCP_USER_TIMEOUT", "90000", 90000},
}

// setters are the ways to set a Config on a connection with a given kernel, and how their
// errors begin.
var setters = map[string]struct {
	set   func(t *testing.T, k kernel.Kernel, conn *net.TCPConn) error
	begin string
}{
	"Set": {func(t *testing.T, k kernel.Kernel, conn *net.TCPConn) error {
		return sockopt.SetOn(socket.OS{Calls: k}, conn, fullConfig)
	}, "sockopt: "},
	"Setter.Set": {func(t *testing.T, k kernel.Kernel, conn *net.TCPConn) error {
		return setter(t, k, fullConfig).Set(conn)
	}, ""},
	"Setter.Hook": {func(t *testing.T, k kernel.Kernel, conn *net.TCPConn) error {
		rc, err := conn.SyscallConn()
		require.NoError(t, err)
		return setter(t, k, fullConfig).Hook("tcp4", "127.0.0.1:1", rc)
	}, ""},
}

func setter(t *testing.T, k kernel.Kernel, cfg sockopt.Config) *socket.Setter {
	t.Helper()
	s, err := socket.OS{Calls: k}.NewSetter(kernel.Request(cfg))
	require.NoError(t, err)
	return &s
}

func TestOneOptionRefused(t *testing.T) {
	t.Parallel()
	for name, way := range setters {
		for _, c := range fullCalls {
			t.Run(name+"/"+c.symbol, func(t *testing.T) {
				conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
				k := fakeSocket()
				k.FailSet[c.key] = unix.EPERM
				err := way.set(t, k, conn)
				assert.EqualError(t, err, way.begin+fullText+"setsockopt "+c.symbol+"="+c.value+": operation not permitted")
				assert.ErrorIs(t, err, syscall.EPERM)
				assert.NotErrorIs(t, err, errors.ErrUnsupported)
				var option *platform.OptionError
				require.ErrorAs(t, err, &option)
				assert.Equal(t, platform.OptionError{Call: "setsockopt", Option: c.option, Symbol: c.symbol, Value: c.value, Err: unix.EPERM}, *option)
				want := maps.Clone(fullValues)
				want[c.key] = 0
				assert.Equal(t, want, k.Held, "the others are set all the same")
			})
		}
	}
}

func TestOneOptionReadsBackAsSomethingElse(t *testing.T) {
	t.Parallel()
	for name, way := range setters {
		for _, c := range fullCalls {
			t.Run(name+"/"+c.symbol, func(t *testing.T) {
				conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
				k := fakeSocket()
				k.Answer[c.key] = 0
				err := way.set(t, k, conn)
				assert.EqualError(t, err, way.begin+fullText+c.symbol+": asked for "+c.value+", the kernel holds 0")
				var mismatch *platform.MismatchError
				require.ErrorAs(t, err, &mismatch)
				assert.Equal(t, platform.MismatchError{Option: c.option, Symbol: c.symbol, Asked: c.number, Got: 0}, *mismatch)
			})
		}
	}
}

func TestEveryOptionRefused(t *testing.T) {
	t.Parallel()
	for name, way := range setters {
		t.Run(name, func(t *testing.T) {
			conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
			k := fakeSocket()
			for _, c := range fullCalls {
				k.FailSet[c.key] = unix.EINVAL
			}
			err := way.set(t, k, conn)
			for _, c := range fullCalls {
				assert.ErrorContains(t, err, "setsockopt "+c.symbol+"="+c.value+": invalid argument")
			}
			assert.Len(t, k.Sets, len(fullCalls))
			assert.Equal(t, fakeSocket().Held, k.Held)
		})
	}
}

func TestRefusedLyingAndUnreadableAtOnce(t *testing.T) {
	t.Parallel()
	conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	k := fakeSocket()
	k.FailSet[keepIntvl] = unix.ENOPROTOOPT
	k.Answer[keepIdle] = 15
	k.FailGet[keepCnt] = unix.EACCES
	err := setter(t, k, fullConfig).Set(conn)
	assert.EqualError(t, err, fullText+"setsockopt TCP_KEEPINTVL=10: protocol not available; "+
		"getsockopt TCP_KEEPCNT: permission denied; "+
		"TCP_KEEPIDLE: asked for 60, the kernel holds 15")
	assert.ErrorIs(t, err, errors.ErrUnsupported)
	var mismatch *platform.MismatchError
	assert.ErrorAs(t, err, &mismatch)
}

// The order in which Linux arms the timer once, with the final values, so that
// idle counts from the last segment received (net/ipv4/tcp.c,
// tcp_sock_set_keepidle_locked; net/ipv4/tcp_timer.c, tcp_set_keepalive).
func TestOrderOfCalls(t *testing.T) {
	t.Parallel()
	conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	for _, tt := range []struct {
		rule string
		cfg  sockopt.Config
		want []kerneltest.At
	}{
		{"idle goes last", fullConfig, []kerneltest.At{keepIntvl, keepCnt, userTimeout, soKeepAlive, keepIdle}},
		{"off goes first", sockopt.Config{Disabled: true, Idle: 1, Interval: 1, Count: 1, UserTimeout: 1},
			[]kerneltest.At{soKeepAlive, keepIntvl, keepCnt, userTimeout, keepIdle}},
		{"only what is asked for", sockopt.Config{Count: 3}, []kerneltest.At{keepCnt, soKeepAlive}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			k := fakeSocket()
			require.NoError(t, setter(t, k, tt.cfg).Set(conn))
			assert.Equal(t, tt.want, k.Sets)
			assert.ElementsMatch(t, tt.want, k.Gets, "all is read back, and nothing else")
		})
	}
}

func TestPartsOfASetter(t *testing.T) {
	t.Parallel()
	conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	type part = func(whole socket.Setter) socket.Setter
	all := []kerneltest.At{keepIntvl, keepCnt, userTimeout, soKeepAlive, keepIdle}
	timing := kernel.SetOf(platform.Idle, platform.Count)
	for _, tt := range []struct {
		rule       string
		part       part
		sets, gets []kerneltest.At
		options    platform.OptionSet
		noticesLie bool
	}{
		{"the whole", func(w socket.Setter) socket.Setter { return w }, all, all, kernel.SetOf(kernel.Options()...), true},
		{"WithoutReadBack believes the kernel", socket.Setter.WithoutReadBack, all, nil, kernel.SetOf(kernel.Options()...), false},
		{"Only sets and reads back a part", func(w socket.Setter) socket.Setter { return w.Only(timing) }, []kerneltest.At{keepCnt, keepIdle}, []kerneltest.At{keepCnt, keepIdle}, timing, true},
		{"Only without the option that lies", func(w socket.Setter) socket.Setter { return w.Only(kernel.SetOf(platform.Count)) }, []kerneltest.At{keepCnt}, []kerneltest.At{keepCnt}, kernel.SetOf(platform.Count), false},
		{"SetsOnly reads back all", func(w socket.Setter) socket.Setter { return w.SetsOnly(timing) }, []kerneltest.At{keepCnt, keepIdle}, all, timing, true},
		{"SetsOnly of nothing verifies", func(w socket.Setter) socket.Setter { return w.SetsOnly(0) }, nil, all, 0, true},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			k := fakeSocket()
			k.Held = maps.Clone(fullValues)
			part := tt.part(*setter(t, k, fullConfig))
			require.NoError(t, part.Set(conn))
			assert.Equal(t, tt.sets, k.Sets)
			assert.ElementsMatch(t, tt.gets, k.Gets)
			assert.Equal(t, tt.options, part.Options())
			assert.Equal(t, kernel.Request(fullConfig), part.Request())

			k.Answer[keepIdle] = 15
			err := part.Set(conn)
			var mismatch *platform.MismatchError
			assert.Equal(t, tt.noticesLie, errors.As(err, &mismatch), "%v", err)
		})
	}
}

func TestGetWithABadKernel(t *testing.T) {
	t.Parallel()
	conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	want := platform.Settings{Known: kernel.SetOf(kernel.Options()...), Enabled: true,
		Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	for _, c := range fullCalls[1:] {
		t.Run(c.symbol, func(t *testing.T) {
			k := fakeSocket()
			k.Held = maps.Clone(fullValues)
			other := socket.OS{Calls: k}
			k.FailGet[c.key] = unix.EACCES
			got, err := sockopt.GetOn(other, conn)
			assert.EqualError(t, err, "sockopt: getsockopt "+c.symbol+": permission denied")
			assert.Equal(t, want.Known&^kernel.SetOf(c.option), got.Known)
			assert.True(t, got.Enabled, "what can be read is read")

			for _, missing := range []error{unix.ENOPROTOOPT, unix.EOPNOTSUPP} {
				k.FailGet[c.key] = missing
				got, err = sockopt.GetOn(other, conn)
				assert.NoError(t, err)
				assert.Equal(t, want.Known&^kernel.SetOf(c.option), got.Known, "unknown, never 0")
			}
			delete(k.FailGet, c.key)
			got, err = sockopt.GetOn(other, conn)
			assert.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	t.Run("every read fails", func(t *testing.T) {
		k := fakeSocket()
		for _, c := range fullCalls {
			k.FailGet[c.key] = unix.EACCES
		}
		got, err := sockopt.GetOn(socket.OS{Calls: k}, conn)
		assert.Zero(t, got)
		for _, c := range fullCalls {
			assert.ErrorContains(t, err, "getsockopt "+c.symbol+": permission denied")
		}
	})
	t.Run("the kind cannot be asked", func(t *testing.T) {
		k := fakeSocket()
		k.FailGet[soProtocol] = unix.EACCES
		c := struct{ *net.TCPConn }{conn}
		other := socket.OS{Calls: k}
		_, err := sockopt.GetOn(other, c)
		assert.ErrorIs(t, err, unix.EACCES)
		assert.ErrorIs(t, sockopt.SetOn(other, c, fullConfig), unix.EACCES)
		assert.ErrorIs(t, sockopt.VerifyOn(other, c, fullConfig), unix.EACCES)
		assert.Empty(t, k.Sets)
	})
}
