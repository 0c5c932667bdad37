package sockdiag

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// lookupBuffer holds the answer about one socket.
const lookupBuffer = 8 << 10

// maxIdle bounds the netlink sockets that are kept open between lookups: opening
// a socket costs five times as much as a lookup.
const maxIdle = 4

var idle struct {
	sync.Mutex
	conns [maxIdle]*Conn
	n     int
}

// Borrow returns a Conn that sees the network namespace ns (of [NamespaceOf]),
// which must be that of the calling thread if no suitable Conn is idle. The
// caller must call [Conn.Return].
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

// home is the network namespace in which the program was started. It is
// determined at the start, because any thread may be in another one later,
// including the first.
var home = namespaceAt("/proc/self/ns/net")

func inHomeNamespace() bool {
	this := namespaceAt("/proc/thread-self/ns/net")
	return this == home && this != namespace{}
}

// A namespace is identified by its file.
type namespace struct{ device, inode uint64 }

func namespaceAt(path string) namespace {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return namespace{}
	}
	return namespace{uint64(st.Dev), st.Ino}
}

// ErrOtherNamespace means that a socket belongs to a different network namespace
// from the calling thread, so that its timer cannot be seen.
var ErrOtherNamespace = fmt.Errorf("the socket is in another network namespace, where sock_diag cannot see it from here")

// takeIdle returns nil if namespaces cannot be distinguished.
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

// Return returns a Conn to the pool. It closes the Conn if it cannot be used
// again, or if it would keep a namespace other than the program's alive.
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

// Works finds out what ErrNotFound means, by a dump that selects no state. The
// kernel looks for the handler of TCP before it compares states (inet_diag_dump
// and inet_diag_dump_icsk in net/ipv4/inet_diag.c): the dump is empty if there
// is a handler, and fails with ENOENT if there is none. No socket is opened for
// that.
func (c *Conn) Works() (bool, error) { return c.answersAbout(unix.IPPROTO_TCP) }

func (c *Conn) answersAbout(protocol uint16) (bool, error) {
	err := c.Dump(&Query{Family: unix.AF_INET, Protocol: protocol}, func(Message) bool { return true })
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
