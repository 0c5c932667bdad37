package socket

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"runtime"
	"syscall"
)

var (
	// ErrNotTCP means a connection or listener that is not TCP: keepalive has no
	// meaning there.
	ErrNotTCP = errors.New("not a TCP socket")

	// ErrNoSocket means a value that gives no access to a socket.
	ErrNoSocket = errors.New("no access to a socket")
)

// MaxUnwrap bounds the number of wrappers: a connection may wrap itself.
const MaxUnwrap = 16

// find finds the socket below c. isTCP is true if the type alone shows that;
// otherwise the kernel must be asked before an option is set, because
// SO_KEEPALIVE succeeds on any socket.
//
// It never uses File: that duplicates the descriptor, and Fd of the duplicate
// makes the connection blocking.
func find(c any) (rc syscall.RawConn, isTCP bool, err error) {
	outer := c
	for range MaxUnwrap {
		switch x := c.(type) {
		case nil:
			return nil, false, noSocket(outer, "it holds no connection (nil)")
		case *net.UnixConn, *net.UDPConn, *net.IPConn, *net.UnixListener:
			return nil, false, fmt.Errorf("%T: %w", x, ErrNotTCP)
		case syscall.RawConn:
			return x, false, nil
		case *net.TCPConn:
			isTCP = true
			if x != nil {
				rc, err = x.SyscallConn()
			}
		case *net.TCPListener:
			isTCP = true
			if x != nil {
				rc, err = x.SyscallConn()
			}
		case syscall.Conn:
			if IsNilPointer(x) {
				return nil, false, noSocket(outer, fmt.Sprintf("%T is nil", x))
			}
			rc, err = syscallConn(x)
		case interface{ NetConn() net.Conn }:
			if IsNilPointer(x) {
				return nil, false, noSocket(outer, fmt.Sprintf("%T is nil", x))
			}
			c = x.NetConn()
			continue
		default:
			return nil, false, noSocket(outer, fmt.Sprintf("%T has neither SyscallConn nor NetConn", x))
		}
		switch {
		case rc == nil && err == nil, errors.Is(err, syscall.EINVAL):
			return nil, false, noSocket(outer, fmt.Sprintf("%T is nil or was never opened", c))
		case err != nil:
			return nil, false, fmt.Errorf("%T: %w", c, err)
		}
		return rc, isTCP, nil
	}
	return nil, false, noSocket(outer, fmt.Sprintf("more than %d connections wrapped in each other", MaxUnwrap))
}

// syscallConn calls a method of a wrapper, which panics if the wrapper embeds a
// nil connection.
func syscallConn(c syscall.Conn) (rc syscall.RawConn, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error: // nil dereference
			rc, err = nil, nil
		default:
			panic(p)
		}
	}()
	return c.SyscallConn()
}

func noSocket(outer any, why string) error {
	return fmt.Errorf("%T: %w: %s", outer, ErrNoSocket, why)
}

// IsNilPointer reports whether x is a nil pointer of any type.
func IsNilPointer(x any) bool {
	v := reflect.ValueOf(x)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
