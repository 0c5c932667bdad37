package kernel_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	win "golang.org/x/sys/windows"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
)

// foreignTable returns the table in use. Under Wine, .ci/wine says which one
// that must be, so that a detection which always gives the same answer fails.
func foreignTable(t *testing.T) *kernel.Rules {
	t.Helper()
	table := kernel.Current()
	if want := os.Getenv("KEEPALIVE_TEST_TABLE"); want != "" {
		require.Equal(t, want, table.Name)
	}
	return table
}

// foreignWine recognizes Wine, whose limits and defaults are those of the Linux below it,
// from Windows.
func foreignWine() bool { return os.Getenv("KEEPALIVE_TEST_TABLE") != "" }

// foreignSocket calls f with the descriptor of c.
func foreignSocket(t *testing.T, c syscall.Conn, f func(fd uintptr)) {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(f))
}

// foreignGet is getsockopt without the code under test.
func foreignGet(fd uintptr, level, number int) (int, error) {
	return win.GetsockoptInt(win.Handle(fd), level, number)
}

func TestForeignCurrent(t *testing.T) {
	table := foreignTable(t)
	major, minor, build := win.RtlGetNtVersionNumbers()
	t.Logf("Windows %d.%d.%d: %s", major, minor, build, table.Name)
	if foreignWine() {
		assert.Equal(t, major < 10, table.Name == "windows-before-1709")
	}
	assert.Same(t, table, kernel.Current())
	assert.Equal(t, "windows", table.GOOS)
}

// TestForeignTranscript is what the two Wines answer, call by call. Fakes of
// Windows in other tests may be driven by it.
func TestForeignTranscript(t *testing.T) {
	table := foreignTable(t)
	if !foreignWine() {
		t.Skip("the answers are Wine's")
	}
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	const unknown = win.WSAENOPROTOOPT
	type answer struct {
		set error
		get int // what getsockopt answers then
		err error
	}
	for _, row := range []struct {
		name                 string
		level, number, value int
		old, current         answer
	}{
		{"fresh SO_KEEPALIVE", 0xffff, 8, -1, answer{nil, 0, nil}, answer{nil, 0, nil}},
		{"fresh TCP_KEEPIDLE", 6, 3, -1, answer{nil, 0, unknown}, answer{nil, 7200, nil}}, // Windows: 7200
		{"fresh TCP_KEEPINTVL", 6, 17, -1, answer{nil, 0, unknown}, answer{nil, 75, nil}}, // Windows: 1
		{"fresh TCP_KEEPCNT", 6, 16, -1, answer{nil, 0, unknown}, answer{nil, 9, nil}},    // Windows: 10
		{"TCP_KEEPIDLE", 6, 3, 47, answer{unknown, 0, unknown}, answer{nil, 47, nil}},
		{"TCP_KEEPINTVL", 6, 17, 7, answer{unknown, 0, unknown}, answer{nil, 7, nil}},
		{"TCP_KEEPCNT", 6, 16, 5, answer{unknown, 0, unknown}, answer{nil, 5, nil}},
		{"TCP_KEEPIDLE of Linux's maximum", 6, 3, 32767, answer{unknown, 0, unknown}, answer{nil, 32767, nil}},
		{"TCP_KEEPIDLE beyond it", 6, 3, 32768, answer{unknown, 0, unknown}, answer{win.WSAEINVAL, 32767, nil}},
		{"TCP_KEEPCNT beyond Linux's maximum", 6, 16, 128, answer{unknown, 0, unknown}, answer{win.WSAEINVAL, 5, nil}},
		{"TCP_MAXRT", 6, 5, 60, answer{unknown, 0, unknown}, answer{unknown, 0, unknown}},
		{"no such option", 6, 9999, 1, answer{unknown, 0, unknown}, answer{unknown, 0, unknown}},
		{"SO_KEEPALIVE on", 0xffff, 8, 1, answer{nil, 1, nil}, answer{nil, 1, nil}},
		{"SO_KEEPALIVE off", 0xffff, 8, 0, answer{nil, 0, nil}, answer{nil, 0, nil}},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := row.current
			if table.Name == "windows-before-1709" {
				want = row.old
			}
			foreignSocket(t, client, func(fd uintptr) {
				var got answer
				if row.value >= 0 {
					got.set = kernel.System().Set(fd, row.level, row.number, row.value)
				}
				got.get, got.err = kernel.System().Get(fd, row.level, row.number)
				t.Logf("set %d: %v; get: %d, %v", row.value, got.set, got.get, got.err)
				assert.ErrorIs(t, got.set, want.set)
				assert.Equal(t, want.get, got.get)
				assert.ErrorIs(t, got.err, want.err)
			})
		})
	}
}

// TestForeignKeepAliveVals shows that the ioctl arrives, with each number in its
// place and in milliseconds. Wine 8 reads nothing back, but SO_KEEPALIVE follows
// the first number and Linux's limit of 32767 s shows what the second is.
func TestForeignKeepAliveVals(t *testing.T) {
	table := foreignTable(t)
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	for _, row := range []struct {
		vals           [3]uint32
		refused        bool // by Wine
		idle, interval int  // as Wine 10 reads back
	}{
		{vals: [3]uint32{1, 45000, 3000}, idle: 45, interval: 3},
		{vals: [3]uint32{0, 45000, 3000}, idle: 45, interval: 3},
		{vals: [3]uint32{1, 45500, 1500}, idle: 46, interval: 2},
		{vals: [3]uint32{1, 1, 1}, idle: 1, interval: 1},
		{vals: [3]uint32{1, 32767000, 1000}, idle: 32767, interval: 1},
		{vals: [3]uint32{1, 32768000, 1000}, refused: true},
		{vals: [3]uint32{1, 1000, 32767000}, idle: 1, interval: 32767},
	} {
		foreignSocket(t, client, func(fd uintptr) {
			err := kernel.System().SetKeepAliveVals(fd, row.vals)
			if row.refused {
				if foreignWine() {
					assert.ErrorIs(t, err, win.WSAEINVAL, "%v", row.vals)
				}
				return
			}
			require.NoError(t, err, "%v", row.vals)
			on, err := foreignGet(fd, win.SOL_SOCKET, win.SO_KEEPALIVE)
			require.NoError(t, err)
			assert.Equal(t, row.vals[0] != 0, on != 0, "%v", row.vals)
			if table.Name == "windows-before-1709" || !foreignWine() || row.vals[0] == 0 {
				return
			}
			idle, err := foreignGet(fd, win.IPPROTO_TCP, win.TCP_KEEPIDLE)
			require.NoError(t, err)
			interval, err := foreignGet(fd, win.IPPROTO_TCP, win.TCP_KEEPINTVL)
			require.NoError(t, err)
			assert.Equal(t, []int{row.idle, row.interval}, []int{idle, interval}, "%v", row.vals)
		})
	}
}

// TestForeignPlan applies every valid request shape and reads the socket
// without the code under test.
func TestForeignPlan(t *testing.T) {
	table := foreignTable(t)
	old := table.Name == "windows-before-1709"
	for _, row := range []struct {
		request kernel.Request
		calls   []string // on current Windows
		ioctl   []string // before 1709
	}{
		{
			kernel.Request{},
			[]string{"SO_KEEPALIVE=1"}, []string{"SO_KEEPALIVE=1"},
		},
		{
			kernel.Request{Disabled: true},
			[]string{"SO_KEEPALIVE=0"}, []string{"SO_KEEPALIVE=0"},
		},
		{
			kernel.Request{Idle: 47 * time.Second, Interval: 6500 * time.Millisecond},
			[]string{"TCP_KEEPINTVL=7", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=47"},
			[]string{"SIO_KEEPALIVE_VALS={1,47000,6500}", "SO_KEEPALIVE=1"},
		},
		{
			kernel.Request{Disabled: true, Idle: time.Nanosecond, Interval: time.Nanosecond},
			[]string{"SO_KEEPALIVE=0", "TCP_KEEPINTVL=1", "TCP_KEEPIDLE=1"},
			[]string{"SO_KEEPALIVE=0", "SIO_KEEPALIVE_VALS={0,1,1}"},
		},
		{
			kernel.Request{Idle: 47 * time.Second, Interval: 7 * time.Second, Count: 5},
			[]string{"TCP_KEEPINTVL=7", "TCP_KEEPCNT=5", "SO_KEEPALIVE=1", "TCP_KEEPIDLE=47"},
			nil, // refused
		},
	} {
		want := row.calls
		if old {
			want = row.ioctl
		}
		plan, faults := table.Plan(row.request)
		if want == nil {
			require.ErrorIs(t, faults.Err(), errors.ErrUnsupported)
			continue
		}
		require.NoError(t, faults.Err())
		var got []string
		for _, s := range plan.Steps() {
			got = append(got, s.String())
		}
		assert.Equal(t, want, got)

		client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
		foreignSocket(t, client, func(fd uintptr) {
			require.NoError(t, plan.Apply(kernel.System(), fd, &plan))
			require.NoError(t, plan.Verify(kernel.System(), fd))
			for _, s := range plan.Steps() {
				if !s.IsKeepAliveVals() {
					value, err := foreignGet(fd, s.Level, s.Number)
					require.NoError(t, err, "%v", &s)
					assert.Equal(t, s.Value, value, "%v", &s)
				}
			}
			settings, err := table.Read(kernel.System(), fd)
			require.NoError(t, err)
			assert.Equal(t, !row.request.Disabled, settings.Enabled)
			t.Logf("%v: %v", got, settings)
			if old {
				assert.Equal(t, kernel.SetOf(platform.KeepAlive), settings.Known)
			}
		})
	}
}

// TestForeignMismatch: what was changed behind the plan's back is found where
// it can be read.
func TestForeignMismatch(t *testing.T) {
	table := foreignTable(t)
	plan, faults := table.Plan(kernel.Request{Idle: 47 * time.Second, Interval: 7 * time.Second})
	require.NoError(t, faults.Err())
	client, _ := testkit.Pair(t, "tcp", "127.0.0.1:0")
	foreignSocket(t, client, func(fd uintptr) {
		require.NoError(t, plan.Apply(kernel.System(), fd, &plan))
		require.NoError(t, kernel.System().SetKeepAliveVals(fd, [3]uint32{0, 50000, 7000}))
		var mismatch *platform.MismatchError
		require.ErrorAs(t, plan.Verify(kernel.System(), fd), &mismatch)
		assert.Equal(t, platform.KeepAlive, mismatch.Option)
	})
}

func TestForeignKindOf(t *testing.T) {
	client, server := testkit.Pair(t, "tcp", "127.0.0.1:0")
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for i, c := range []syscall.Conn{client, server, l.(*net.TCPListener)} {
		foreignSocket(t, c, func(fd uintptr) {
			kind, err := kernel.KindOf(kernel.System(), fd)
			require.NoError(t, err)
			assert.Equal(t, kernel.TCP, kind, strconv.Itoa(i))
		})
	}
	for c, want := range map[syscall.Conn]bool{client: false, server: false, l.(*net.TCPListener): true} {
		foreignSocket(t, c, func(fd uintptr) {
			got, err := kernel.Listens(kernel.System(), fd)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	// Not net.ListenPacket: Wine lacks an ioctl that it makes.
	udp, err := win.Socket(win.AF_INET, win.SOCK_DGRAM, win.IPPROTO_UDP)
	require.NoError(t, err)
	defer win.Closesocket(udp)
	kind, err := kernel.KindOf(kernel.System(), uintptr(udp))
	require.NoError(t, err)
	assert.Equal(t, kernel.NotTCP, kind)
	_, err = kernel.KindOf(kernel.System(), 0xfff0)
	assert.ErrorIs(t, err, win.WSAENOTSOCK)
}

// TestForeignDefaults: Windows does not show the system's defaults, and none is made up.
func TestForeignDefaults(t *testing.T) {
	settings, err := kernel.SystemDefaults()
	require.NoError(t, err)
	assert.Equal(t, platform.Settings{}, settings)
}
