package socktest

import (
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Values are the options of a Linux socket as the kernel counts them: seconds,
// and milliseconds for the user timeout.
type Values struct{ KeepAlive, Idle, Interval, Count, UserTimeout int }

// GoDefaults is what package net sets: 15 s, 15 s, 9.
var GoDefaults = Values{1, 15, 15, 9, 0}

// Make writes a row of a table.
func Make(keepAlive, idle, interval, count, userTimeout int) Values {
	return Values{keepAlive, idle, interval, count, userTimeout}
}

// NoUserTimeout returns v as a socket holds it that was never given one.
func NoUserTimeout(v Values) Values {
	v.UserTimeout = 0
	return v
}

// Untouched returns what a socket holds that nobody has given an option: the
// sysctls of this machine.
var Untouched = sync.OnceValue(func() Values {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		panic(err)
	}
	defer unix.Close(fd)
	v, err := readDescriptor(fd)
	if err != nil {
		panic(err)
	}
	return v
})

// SwitchedOn returns the system's defaults with keepalive on.
func SwitchedOn() Values {
	v := Untouched()
	v.KeepAlive = 1
	return v
}

// Read asks the kernel. A user timeout that this socket does not have (Multipath
// TCP) reads -1.
func Read(t testing.TB, c syscall.Conn) Values {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	var v Values
	require.NoError(t, rc.Control(func(fd uintptr) { v, err = readDescriptor(int(fd)) }))
	require.NoError(t, err)
	return v
}

// ReadAny is Read for a connection that may be wrapped (TLS), also several times
// (TLS through an HTTPS proxy).
func ReadAny(t testing.TB, c any) Values {
	t.Helper()
	for range 8 {
		if wrapped, ok := c.(interface{ NetConn() net.Conn }); ok {
			c = wrapped.NetConn()
		}
	}
	require.Implements(t, (*syscall.Conn)(nil), c)
	return Read(t, c.(syscall.Conn))
}

// options are where the kernel keeps each of Values.
func (v *Values) options() []option {
	return []option{
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, &v.KeepAlive},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, &v.Idle},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, &v.Interval},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, &v.Count},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, &v.UserTimeout},
	}
}

type option struct {
	level, number int
	value         *int
}

func readDescriptor(fd int) (v Values, err error) {
	for _, o := range v.options() {
		*o.value, err = unix.GetsockoptInt(fd, o.level, o.number)
		switch {
		case err != nil && o.number == unix.TCP_USER_TIMEOUT:
			*o.value, err = -1, nil
		case err != nil:
			return v, fmt.Errorf("getsockopt %d: %w", o.number, err)
		}
	}
	return v, nil
}

// SetOptions sets all of v, as the hooks do that people write.
func SetOptions(fd int, v Values) error {
	for _, o := range v.options() {
		if err := unix.SetsockoptInt(fd, o.level, o.number, *o.value); err != nil {
			return fmt.Errorf("setsockopt %d=%d: %w", o.number, *o.value, err)
		}
	}
	return nil
}
