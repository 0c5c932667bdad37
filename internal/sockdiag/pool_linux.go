package sockdiag

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// lookupBuffer holds the answer about one socket.
const lookupBuffer = 8 << 10

// maxIdle bounds the netlink sockets that are kept open between lookups:
// opening one costs five times what a lookup does.
const maxIdle = 4

var idle struct {
	sync.Mutex
	conns [maxIdle]*Conn
	n     int
}

// Borrow returns a Conn that sees the network namespace ns (of [NamespaceOf]),
// which must be that of the calling thread if none is idle. It ends with
// [Conn.Return].
func Borrow(ns uint64) (*Conn, error) {
	if c := takeIdle(ns); c != nil {
		return c, nil
	}
	c, err := open(lookupBuffer)
	if err != nil {
		return nil, err
	}
	if c.ns != ns {
		c.Close()
		return nil, ErrOtherNamespace
	}
	c.home = inHomeNamespace()
	return c, nil
}

// home is the network namespace that the program was started in. It is found out
// then, as any thread may be in another one later, the first included.
var home = namespaceAt("/proc/self/ns/net")

func inHomeNamespace() bool {
	this := namespaceAt("/proc/thread-self/ns/net")
	return this == home && this != namespace{}
}

// A namespace is told from others by its file.
type namespace struct{ device, inode uint64 }

func namespaceAt(path string) namespace {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return namespace{}
	}
	return namespace{uint64(st.Dev), st.Ino}
}

// ErrOtherNamespace means that a socket belongs to another network namespace
// than the thread that asks, where its timer cannot be seen from.
var ErrOtherNamespace = fmt.Errorf("the socket is in another network namespace, where sock_diag cannot see it from here")

// takeIdle returns nil where namespaces cannot be told apart.
func takeIdle(ns uint64) *Conn {
	idle.Lock()
	defer idle.Unlock()
	if ns == 0 {
		return nil
	}
	for i := idle.n - 1; i >= 0; i-- {
		if c := idle.conns[i]; c.ns == ns {
			idle.n--
			idle.conns[i] = idle.conns[idle.n]
			idle.conns[idle.n] = nil
			return c
		}
	}
	return nil
}

// Return gives a Conn back, and closes it if it cannot be used again, or would
// keep another namespace than the program's from going away.
func (c *Conn) Return() {
	idle.Lock()
	defer idle.Unlock()
	if c.broken || !c.home || c.ns == 0 || idle.n == maxIdle {
		c.Close()
		return
	}
	idle.conns[idle.n] = c
	idle.n++
}

// Works finds out what ErrNotFound means, by a question about a socket that
// certainly is there: one of its own.
func (c *Conn) Works() (bool, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return false, fmt.Errorf("sock_diag: socket to try it with: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Listen(fd, 1); err != nil { // on a free port of every address
		return false, fmt.Errorf("sock_diag: listener to try it with: %w", err)
	}
	id, err := Identify(fd)
	if err != nil {
		return false, err
	}
	_, err = c.Lookup(&id, 0)
	return err == nil, nil
}
