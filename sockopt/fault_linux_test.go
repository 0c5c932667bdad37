package sockopt_test

import (
	"errors"
	"maps"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// optionKey is getsockopt's level and option.
type optionKey struct{ level, number int }

var (
	soKeepAlive = optionKey{unix.SOL_SOCKET, unix.SO_KEEPALIVE}
	soProtocol  = optionKey{unix.SOL_SOCKET, unix.SO_PROTOCOL}
	keepIdle    = optionKey{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}
	keepIntvl   = optionKey{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}
	keepCnt     = optionKey{unix.IPPROTO_TCP, unix.TCP_KEEPCNT}
	userTimeout = optionKey{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT}
)

// A badKernel fails or lies as it is told, and otherwise is a socket.
type badKernel struct {
	mu      sync.Mutex
	values  map[optionKey]int
	failSet map[optionKey]error
	failGet map[optionKey]error
	lies    map[optionKey]int // what Get answers, whatever was set
	sets    []optionKey       // in order
	gets    []optionKey
}

func newBadKernel() *badKernel {
	return &badKernel{values: map[optionKey]int{soProtocol: unix.IPPROTO_TCP}, failSet: map[optionKey]error{},
		failGet: map[optionKey]error{}, lies: map[optionKey]int{}}
}

func (k *badKernel) Get(_ uintptr, level, number int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := optionKey{level, number}
	k.gets = append(k.gets, key)
	if err := k.failGet[key]; err != nil {
		return 0, err
	}
	if lie, ok := k.lies[key]; ok {
		return lie, nil
	}
	return k.values[key], nil
}

func (k *badKernel) Set(_ uintptr, level, number, value int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := optionKey{level, number}
	k.sets = append(k.sets, key)
	if err := k.failSet[key]; err != nil {
		return err
	}
	k.values[key] = value
	return nil
}

func (k *badKernel) SetKeepAliveVals(uintptr, [3]uint32) error { return errors.ErrUnsupported }

var (
	fullConfig = sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	fullValues = map[optionKey]int{soProtocol: unix.IPPROTO_TCP,
		soKeepAlive: 1, keepIdle: 60, keepIntvl: 10, keepCnt: 3, userTimeout: 90000}
)

const fullText = "keepalive idle=60s,interval=10s,count=3,user-timeout=90s: "

var fullCalls = []struct {
	option platform.Option
	key    optionKey
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
				conn, _ := socktest.Pair(t, "tcp", "127.0.0.1:0")
				k := newBadKernel()
				k.failSet[c.key] = unix.EPERM
				err := set(t, k, conn)
				assert.EqualError(t, err, fullText+"setsockopt "+c.symbol+"="+c.value+": operation not permitted")
				assert.ErrorIs(t, err, syscall.EPERM)
				assert.NotErrorIs(t, err, errors.ErrUnsupported)
				var option *platform.OptionError
				require.ErrorAs(t, err, &option)
				assert.Equal(t, platform.OptionError{Call: "setsockopt", Option: c.option, Symbol: c.symbol, Value: c.value, Err: unix.EPERM}, *option)
				want := maps.Clone(fullValues)
				delete(want, c.key)
				assert.Equal(t, want, k.values, "the others are set all the same")
			})
		}
	}
}

func TestOneOptionReadsBackAsSomethingElse(t *testing.T) {
	for name, set := range setters {
		for _, c := range fullCalls {
			t.Run(name+"/"+c.symbol, func(t *testing.T) {
				conn, _ := socktest.Pair(t, "tcp", "127.0.0.1:0")
				k := newBadKernel()
				k.lies[c.key] = 0
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
			conn, _ := socktest.Pair(t, "tcp", "127.0.0.1:0")
			k := newBadKernel()
			for _, c := range fullCalls {
				k.failSet[c.key] = unix.EINVAL
			}
			err := set(t, k, conn)
			for _, c := range fullCalls {
				assert.ErrorContains(t, err, "setsockopt "+c.symbol+"="+c.value+": invalid argument")
			}
			assert.Len(t, k.sets, len(fullCalls))
			assert.Equal(t, map[optionKey]int{soProtocol: unix.IPPROTO_TCP}, k.values)
		})
	}
}

func TestRefusedLyingAndUnreadableAtOnce(t *testing.T) {
	t.Parallel()
	conn, _ := socktest.Pair(t, "tcp", "127.0.0.1:0")
	k := newBadKernel()
	k.failSet[keepIntvl] = unix.ENOPROTOOPT
	k.lies[keepIdle] = 15
	k.failGet[keepCnt] = unix.EACCES
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
	conn, _ := socktest.Pair(t, "tcp", "127.0.0.1:0")
	for _, tt := range []struct {
		rule string
		cfg  sockopt.Config
		want []optionKey
	}{
		{"idle goes last", fullConfig, []optionKey{keepIntvl, keepCnt, userTimeout, soKeepAlive, keepIdle}},
		{"off goes first", sockopt.Config{Disabled: true, Idle: 1, Interval: 1, Count: 1, UserTimeout: 1},
			[]optionKey{soKeepAlive, keepIntvl, keepCnt, userTimeout, keepIdle}},
		{"only what is asked for", sockopt.Config{Count: 3}, []optionKey{keepCnt, soKeepAlive}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			k := newBadKernel()
			s, err := socket.NewSetter(kernel.Request(tt.cfg))
			require.NoError(t, err)
			require.NoError(t, s.WithKernel(k).Set(conn))
			assert.Equal(t, tt.want, k.sets)
			assert.ElementsMatch(t, tt.want, k.gets, "all is read back, and nothing else")
		})
	}
}

func TestPartsOfASetter(t *testing.T) {
	t.Parallel()
	conn, _ := socktest.Pair(t, "tcp", "127.0.0.1:0")
	whole, err := socket.NewSetter(kernel.Request(fullConfig))
	require.NoError(t, err)
	all := []optionKey{keepIntvl, keepCnt, userTimeout, soKeepAlive, keepIdle}
	timing := kernel.SetOf(platform.Idle, platform.Count)
	for _, tt := range []struct {
		rule       string
		part       *socket.Setter
		sets, gets []optionKey
		options    platform.OptionSet
		noticesLie bool
	}{
		{"the whole", whole, all, all, kernel.SetOf(kernel.Options()...), true},
		{"WithoutReadBack believes the kernel", whole.WithoutReadBack(), all, nil, kernel.SetOf(kernel.Options()...), false},
		{"Only sets and reads back a part", whole.Only(timing), []optionKey{keepCnt, keepIdle}, []optionKey{keepCnt, keepIdle}, timing, true},
		{"Only without the option that lies", whole.Only(kernel.SetOf(platform.Count)), []optionKey{keepCnt}, []optionKey{keepCnt}, kernel.SetOf(platform.Count), false},
		{"SetsOnly reads back all", whole.SetsOnly(timing), []optionKey{keepCnt, keepIdle}, all, timing, true},
		{"SetsOnly of nothing verifies", whole.SetsOnly(0), nil, all, 0, true},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			k := newBadKernel()
			k.values = maps.Clone(fullValues)
			require.NoError(t, tt.part.WithKernel(k).Set(conn))
			assert.Equal(t, tt.sets, k.sets)
			assert.ElementsMatch(t, tt.gets, k.gets)
			assert.Equal(t, tt.options, tt.part.Options())
			assert.Equal(t, kernel.Request(fullConfig), tt.part.Request())

			k.lies[keepIdle] = 15
			err := tt.part.WithKernel(k).Set(conn)
			var mismatch *platform.MismatchError
			assert.Equal(t, tt.noticesLie, errors.As(err, &mismatch), "%v", err)
		})
	}
}

func TestGetWithABadKernel(t *testing.T) {
	conn, _ := socktest.Pair(t, "tcp", "127.0.0.1:0")
	want := platform.Settings{Known: kernel.SetOf(kernel.Options()...), Enabled: true,
		Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second}
	for _, c := range fullCalls[1:] {
		t.Run(c.symbol, func(t *testing.T) {
			k := newBadKernel()
			k.values = maps.Clone(fullValues)
			sockopt.SwapKernel(t, k)

			k.failGet[c.key] = unix.EACCES
			got, err := sockopt.Get(conn)
			assert.EqualError(t, err, "sockopt: getsockopt "+c.symbol+": permission denied")
			assert.Equal(t, want.Known&^kernel.SetOf(c.option), got.Known)
			assert.True(t, got.Enabled, "what can be read is read")

			for _, missing := range []error{unix.ENOPROTOOPT, unix.EOPNOTSUPP} {
				k.failGet[c.key] = missing
				got, err = sockopt.Get(conn)
				assert.NoError(t, err)
				assert.Equal(t, want.Known&^kernel.SetOf(c.option), got.Known, "unknown, never 0")
			}
			delete(k.failGet, c.key)
			got, err = sockopt.Get(conn)
			assert.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	t.Run("every read fails", func(t *testing.T) {
		k := newBadKernel()
		for _, c := range fullCalls {
			k.failGet[c.key] = unix.EACCES
		}
		sockopt.SwapKernel(t, k)
		got, err := sockopt.Get(conn)
		assert.Zero(t, got)
		for _, c := range fullCalls {
			assert.ErrorContains(t, err, "getsockopt "+c.symbol+": permission denied")
		}
	})
	t.Run("the kind cannot be asked", func(t *testing.T) {
		k := newBadKernel()
		k.failGet[soProtocol] = unix.EACCES
		sockopt.SwapKernel(t, k)
		for name, call := range entryPoints {
			assert.ErrorIs(t, call(struct{ *net.TCPConn }{conn}), unix.EACCES, name)
		}
		_, err := socket.KindOf(conn)
		assert.ErrorIs(t, err, unix.EACCES)
		assert.Empty(t, k.sets)
	})
}
