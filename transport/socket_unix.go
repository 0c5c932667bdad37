//go:build unix

package transport

import (
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A socket can be looked at without reading from it.
type socket struct {
	raw  syscall.RawConn
	look func(uintptr) // pollNow, made once: nothing is allocated for a request

	mu   sync.Mutex
	poll [1]unix.PollFd
}

func newSocket(c net.Conn) *socket {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	k := &socket{raw: raw}
	k.look = k.pollNow
	return k
}

// pending reports whether bytes, or the end, wait to be read: net/http's reader has
// perhaps not been scheduled yet. If the connection has no socket, nothing waits.
func (k *socket) pending() bool {
	if k == nil {
		return false
	}
	k.mu.Lock() // TLS writes of its own accord, too
	defer k.mu.Unlock()
	k.poll[0] = unix.PollFd{}
	return k.raw.Control(k.look) != nil || k.poll[0].Revents != 0
}

func (k *socket) pollNow(fd uintptr) {
	k.poll[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	for range 3 {
		if _, err := unix.Poll(k.poll[:], 0); err != unix.EINTR {
			return
		}
	}
}
