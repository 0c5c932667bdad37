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

// setters are the ways to set a Config on a connection with a given kernel.
var setters = map[string]func(t *testing.T, k kernel.Kernel, conn *net.TCPConn) error{
	"Set": func(t *testing.T, k kernel.Kernel, conn *net.TCPConn) error {
		sockopt.SwapKernel(t, k)
		return sockopt.Set(conn, fullConfig)
	},
	"Setter.Set": func(t *testing.T, k kernel.Kernel, conn *net.TCPConn) error {
		s, err := socket.NewSetter(kernel.Request(fullConfig))
		require.NoError(t, err)
		return s.WithKernel(k).Set(conn)
	},
	"Setter.Control": func(t *testing.T, k kernel.Kernel, conn *net.TCPConn) error {
		s, err := socket.NewSetter(kernel.Request(fullConfig))
		require.NoError(t, err)
		rc, err := conn.SyscallConn()
		require.NoError(t, err)
		return s.WithKernel(k).Control("tcp4", "127.0.0.1:1", rc)
	},
}

// Not parallel, here and below: the kernel is swapped for the whole package.
func TestOneOptionRefused(t *testing.T) {
	for name, set := range setters {
		for _, c := range fullCalls {
			t.Run(name+"/"+c.symbol, func(t *testing.T) {
				conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
				k := fakeSocket()
				k.FailSet[c.key] = unix.EPERM
				err := set(t, k, conn)
				assert.EqualError(t, err, fullText+"setsockopt "+c.symbol+"="+c.value+": operation not permitted")
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
	for name, set := range setters {
		for _, c := range fullCalls {
			t.Run(name+"/"+c.symbol, func(t *testing.T) {
				conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
				k := fakeSocket()
				k.Answer[c.key] = 0
				err := set(t, k, conn)
				assert.EqualError(t, err, fullText+c.symbol+": asked for "+c.value+", the kernel holds 0")
				var mismatch *platform.MismatchError
				require.ErrorAs(t, err, &mismatch)
				assert.Equal(t, platform.MismatchError{Option: c.option, Symbol: c.symbol, Asked: c.number, Got: 0}, *mismatch)
			})
		}
	}
}

func TestEveryOptionRefused(t *testing.T) {
	for name, set := range setters {
		t.Run(name, func(t *testing.T) {
			conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
			k := fakeSocket()
			for _, c := range fullCalls {
				k.FailSet[c.key] = unix.EINVAL
			}
			err := set(t, k, conn)
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
	s, err := socket.NewSetter(kernel.Request(fullConfig))
	require.NoError(t, err)
	err = s.WithKernel(k).Set(conn)
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
			s, err := socket.NewSetter(kernel.Request(tt.cfg))
			require.NoError(t, err)
			require.NoError(t, s.WithKernel(k).Set(conn))
			assert.Equal(t, tt.want, k.Sets)
			assert.ElementsMatch(t, tt.want, k.Gets, "all is read back, and nothing else")
		})
	}
}

func TestPartsOfASetter(t *testing.T) {
	t.Parallel()
	conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	whole, err := socket.NewSetter(kernel.Request(fullConfig))
	require.NoError(t, err)
	all := []kerneltest.At{keepIntvl, keepCnt, userTimeout, soKeepAlive, keepIdle}
	timing := kernel.SetOf(platform.Idle, platform.Count)
	for _, tt := range []struct {
		rule       string
		part       *socket.Setter
		sets, gets []kerneltest.At
		options    platform.OptionSet
		noticesLie bool
	}{
		{"the whole", whole, all, all, kernel.SetOf(kernel.Options()...), true},
		{"WithoutReadBack believes the kernel", whole.WithoutReadBack(), all, nil, kernel.SetOf(kernel.Options()...), false},
		{"Only sets and reads back a part", whole.Only(timing), []kerneltest.At{keepCnt, keepIdle}, []kerneltest.At{keepCnt, keepIdle}, timing, true},
		{"Only without the option that lies", whole.Only(kernel.SetOf(platform.Count)), []kerneltest.At{keepCnt}, []kerneltest.At{keepCnt}, kernel.SetOf(platform.Count), false},
		{"SetsOnly reads back all", whole.SetsOnly(timing), []kerneltest.At{keepCnt, keepIdle}, all, timing, true},
		{"SetsOnly of nothing verifies", whole.SetsOnly(0), nil, all, 0, true},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			k := fakeSocket()
			k.Held = maps.Clone(fullValues)
			require.NoError(t, tt.part.WithKernel(k).Set(conn))
			assert.Equal(t, tt.sets, k.Sets)
			assert.ElementsMatch(t, tt.gets, k.Gets)
			assert.Equal(t, tt.options, tt.part.Options())
			assert.Equal(t, kernel.Request(fullConfig), tt.part.Request())

			k.Answer[keepIdle] = 15
			err := tt.part.WithKernel(k).Set(conn)
			var mismatch *platform.MismatchError
			assert.Equal(t, tt.noticesLie, errors.As(err, &mismatch), "%v", err)
		})
	}
}

func TestGetWithABadKernel(t *testing.T) {
	conn, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	want := platform.Settings{Known: kernel.SetOf(kernel.Options()...), Enabled: true,
		Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	for _, c := range fullCalls[1:] {
		t.Run(c.symbol, func(t *testing.T) {
			k := fakeSocket()
			k.Held = maps.Clone(fullValues)
			sockopt.SwapKernel(t, k)

			k.FailGet[c.key] = unix.EACCES
			got, err := sockopt.Get(conn)
			assert.EqualError(t, err, "sockopt: getsockopt "+c.symbol+": permission denied")
			assert.Equal(t, want.Known&^kernel.SetOf(c.option), got.Known)
			assert.True(t, got.Enabled, "what can be read is read")

			for _, missing := range []error{unix.ENOPROTOOPT, unix.EOPNOTSUPP} {
				k.FailGet[c.key] = missing
				got, err = sockopt.Get(conn)
				assert.NoError(t, err)
				assert.Equal(t, want.Known&^kernel.SetOf(c.option), got.Known, "unknown, never 0")
			}
			delete(k.FailGet, c.key)
			got, err = sockopt.Get(conn)
			assert.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	t.Run("every read fails", func(t *testing.T) {
		k := fakeSocket()
		for _, c := range fullCalls {
			k.FailGet[c.key] = unix.EACCES
		}
		sockopt.SwapKernel(t, k)
		got, err := sockopt.Get(conn)
		assert.Zero(t, got)
		for _, c := range fullCalls {
			assert.ErrorContains(t, err, "getsockopt "+c.symbol+": permission denied")
		}
	})
	t.Run("the kind cannot be asked", func(t *testing.T) {
		k := fakeSocket()
		k.FailGet[soProtocol] = unix.EACCES
		sockopt.SwapKernel(t, k)
		for name, call := range entryPoints {
			assert.ErrorIs(t, call(struct{ *net.TCPConn }{conn}), unix.EACCES, name)
		}
		_, err := socket.KindOf(conn)
		assert.ErrorIs(t, err, unix.EACCES)
		assert.Empty(t, k.Sets)
	})
}
