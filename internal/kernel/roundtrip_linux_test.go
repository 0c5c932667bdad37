package kernel_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// noDescriptor is more than a process may open.
const noDescriptor uintptr = 0x7ffffff0

// held is what a socket holds, asked without the package under test.
func held(t *testing.T, fd int) testkit.Values {
	t.Helper()
	get := func(level, option int) int {
		n, err := unix.GetsockoptInt(fd, level, option)
		require.NoError(t, err)
		return n
	}
	return testkit.Values{
		KeepAlive:   get(unix.SOL_SOCKET, unix.SO_KEEPALIVE),
		Idle:        get(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE),
		Interval:    get(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL),
		Count:       get(unix.IPPROTO_TCP, unix.TCP_KEEPCNT),
		UserTimeout: get(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT),
	}
}

func socket(t *testing.T, domain, kind, protocol int) int {
	t.Helper()
	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, protocol)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// preset makes values that are neither defaults nor limits, so that "left
// alone" and "set" look different.
func preset(t *testing.T, fd int) testkit.Values {
	t.Helper()
	v := testkit.Values{KeepAlive: 0, Idle: 111, Interval: 22, Count: 7, UserTimeout: 44444}
	for _, o := range [][3]int{
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, v.KeepAlive},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, v.Idle},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, v.Interval},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, v.Count},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, v.UserTimeout},
	} {
		require.NoError(t, unix.SetsockoptInt(fd, o[0], o[1], o[2]))
	}
	return v
}

func TestLinuxRoundTrip(t *testing.T) {
	t.Parallel()
	type choice struct {
		field  int64 // of the request
		kernel int   // 0: as before
	}
	seconds := []choice{{0, 0}, {1, 1}, {32767e9, 32767}}
	counts := []choice{{0, 0}, {1, 1}, {127, 127}}
	timeouts := []choice{{0, 0}, {1, 1}, {cInt * 1e6, cInt}, {int64(NoUserTimeout), 0}}
	rows := 0
	for _, disabled := range []bool{false, true} {
		for _, idle := range seconds {
			for _, interval := range seconds {
				for _, count := range counts {
					for _, user := range timeouts {
						rows++
						r := Request{disabled, time.Duration(idle.field), time.Duration(interval.field), int(count.field), time.Duration(user.field)}
						fd := socket(t, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP)
						want := preset(t, fd)
						want.KeepAlive = 1
						if disabled {
							want.KeepAlive = 0
						}
						for _, c := range []struct {
							choice
							into *int
						}{{idle, &want.Idle}, {interval, &want.Interval}, {count, &want.Count}, {user, &want.UserTimeout}} {
							if c.field != 0 {
								*c.into = c.kernel
							}
						}

						p, faults := Current().Plan(r)
						require.NoError(t, faults.Err())
						require.NoError(t, p.Apply(System(), uintptr(fd), &p), "%+v", r)
						require.Equal(t, want, held(t, fd), "%+v", r)

						got, err := Current().Read(System(), uintptr(fd))
						require.NoError(t, err)
						require.Equal(t, Settings{Known: allKnown, Enabled: !disabled, Idle: time.Duration(want.Idle) * time.Second,
							Interval: time.Duration(want.Interval) * time.Second, Count: want.Count, UserTimeout: time.Duration(want.UserTimeout) * time.Millisecond}, got, "%+v", r)
					}
				}
			}
		}
	}
	assert.Equal(t, 2*3*3*3*4, rows)
}

func TestLinuxConnection(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		client, server := testkit.Pair(t, "tcp", address)
		untouched := testkit.Read(t, server)
		rc, err := client.SyscallConn()
		require.NoError(t, err)
		p, faults := Current().Plan(everything)
		require.NoError(t, faults.Err())
		require.NoError(t, rc.Control(func(fd uintptr) { err = p.Apply(System(), fd, &p) }))
		require.NoError(t, err)
		assert.Equal(t, testkit.Values{KeepAlive: 1, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90000}, testkit.Read(t, client))
		assert.Equal(t, untouched, testkit.Read(t, server), "the other end is its own affair")
	}
}

// The limits in the table are the kernel's: one more is EINVAL, and the other
// options are set all the same.
func TestLinuxLimitsAreTheKernels(t *testing.T) {
	t.Parallel()
	permissive := *Current()
	permissive.Specs = append([]Spec(nil), permissive.Specs...)
	for i := range permissive.Specs {
		permissive.Specs[i].Max = UnknownLimit
	}
	for _, row := range []struct {
		option Option
		value  int64
		text   string
	}{
		{Idle, 32768e9, "setsockopt TCP_KEEPIDLE=32768: invalid argument"},
		{Interval, 32768e9, "setsockopt TCP_KEEPINTVL=32768: invalid argument"},
		{Count, 128, "setsockopt TCP_KEEPCNT=128: invalid argument"},
	} {
		r := everything
		setField(&r, row.option, row.value)
		require.Len(t, Current().Check(r), 1, "%s", row.option)
		p, faults := permissive.Plan(r)
		require.NoError(t, faults.Err())
		fd := socket(t, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP)
		want := preset(t, fd)
		err := p.Apply(System(), uintptr(fd), &p)
		require.EqualError(t, err, row.text)
		require.ErrorIs(t, err, unix.EINVAL)
		assert.NotErrorIs(t, err, errors.ErrUnsupported)

		after := testkit.Values{KeepAlive: 1, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90000}
		switch row.option {
		case Idle:
			after.Idle = want.Idle
		case Interval:
			after.Interval = want.Interval
		case Count:
			after.Count = want.Count
		}
		assert.Equal(t, after, held(t, fd), "%s", row.option)
	}
}

func TestLinuxErrorsAreErrnos(t *testing.T) {
	t.Parallel()
	p := plan(t, Current().Name, everything)
	err := p.Apply(System(), noDescriptor, &p)
	require.Len(t, parts(err), 5)
	for _, one := range parts(err) {
		assert.ErrorIs(t, one, unix.EBADF)
		assert.NotErrorIs(t, one, errors.ErrUnsupported)
	}
	got, err := Current().Read(System(), noDescriptor)
	assert.Len(t, parts(err), 5)
	assert.Zero(t, got.Known)

	unixSocket := socket(t, unix.AF_UNIX, unix.SOCK_STREAM, 0)
	got, err = Current().Read(System(), uintptr(unixSocket))
	require.NoError(t, err)
	assert.Equal(t, SetOf(KeepAlive), got.Known, "SO_KEEPALIVE exists on any socket, the rest does not")

	assert.ErrorIs(t, System().SetKeepAliveVals(0, [3]uint32{}), errors.ErrUnsupported, "an ioctl of Windows")
}

// A Multipath TCP socket that does not know an option says so, and takes the rest.
func TestLinuxMultipathTCP(t *testing.T) {
	t.Parallel()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	testkit.Need(t, err == nil, fmt.Sprintf("needs a kernel with Multipath TCP: %v", err))
	t.Cleanup(func() { unix.Close(fd) })

	p := plan(t, Current().Name, everything)
	for _, one := range parts(p.Apply(System(), uintptr(fd), &p)) {
		var e *OptionError
		require.ErrorAs(t, one, &e)
		assert.ErrorIs(t, one, errors.ErrUnsupported, "%v", one)
		s := stepOf(t, p, e.Option)
		_, errno := unix.GetsockoptInt(fd, s.Level, s.Number)
		assert.Error(t, errno, "%v, although the kernel can read it", one)
	}
	on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE)
	require.NoError(t, err)
	assert.Equal(t, 1, on)

	got, err := Current().Read(System(), uintptr(fd))
	require.NoError(t, err)
	assert.True(t, got.Known.Has(KeepAlive))
	assert.True(t, got.Known.Has(UserTimeout), "none of these sockets has one")
	assert.Zero(t, got.UserTimeout)
}
