package sockopt

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"syscall"
)

var (
	// ErrNotTCP means a connection or listener that is not TCP: keepalive has no
	// meaning there.
	ErrNotTCP = errors.New("not a TCP socket")

	// ErrNoSocket means a value that gives no access to a socket.
	ErrNoSocket = errors.New("no access to a socket")
)

// maxUnwrap bounds the walk through wrappers, some of which wrap themselves.
const maxUnwrap = 16

// rawConn finds the socket below c. isTCP is true where the type alone says so;
// otherwise the kernel must be asked before an option is set, because
// SO_KEEPALIVE succeeds on any socket.
//
// It never goes through File(), which duplicates the descriptor, and whose Fd
// makes the connection blocking.
func rawConn(c any) (rc syscall.RawConn, isTCP bool, err error) {
	outer := c
	for range maxUnwrap {
		switch x := c.(type) {
		case nil:
			return nil, false, noSocket(outer, "it holds no connection (nil)")
		case *net.TCPConn:
			rc, err = x.SyscallConn()
			isTCP = true
		case *net.TCPListener:
			rc, err = x.SyscallConn()
			isTCP = true
		case *net.UnixConn, *net.UDPConn, *net.IPConn, *net.UnixListener:
			return nil, false, fmt.Errorf("sockopt: %T: %w", x, ErrNotTCP)
		case syscall.RawConn:
			return x, false, nil
		case interface{ NetConn() net.Conn }:
			if isNilPointer(x) {
				return nil, false, noSocket(outer, fmt.Sprintf("%T is nil", x))
			}
			if sc, ok := c.(syscall.Conn); ok {
				rc, err = sc.SyscallConn()
				break
			}
			c = x.NetConn()
			continue
		case syscall.Conn:
			if isNilPointer(x) {
				return nil, false, noSocket(outer, fmt.Sprintf("%T is nil", x))
			}
			rc, err = x.SyscallConn()
		default:
			return nil, false, noSocket(outer, fmt.Sprintf("%T has neither SyscallConn nor NetConn", x))
		}
		switch {
		case errors.Is(err, syscall.EINVAL):
			return nil, false, noSocket(outer, fmt.Sprintf("%T is nil or was never opened", c))
		case err != nil:
			return nil, false, fmt.Errorf("sockopt: %T: %w", c, err)
		}
		return rc, isTCP, nil
	}
	return nil, false, noSocket(outer, fmt.Sprintf("more than %d connections wrapped in each other", maxUnwrap))
}

func noSocket(outer any, why string) error {
	return fmt.Errorf("sockopt: %T: %w: %s", outer, ErrNoSocket, why)
}

func isNilPointer(x any) bool {
	v := reflect.ValueOf(x)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
