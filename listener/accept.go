package listener

import (
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// An acceptor sets the options that accepted connections do not inherit.
type acceptor struct {
	net.Listener
	again  *socket.Setter // nil if everything is inherited
	pin    bool
	verify *verifier // nil: nothing is verified later
	report *reporter
}

// Accept returns every connection that it accepts; an option that could not be
// set goes to the reporter.
func (a *acceptor) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if a.again != nil {
		if err := a.again.Set(conn); err != nil {
			a.report.deliver(conn, err)
		}
	}
	if a.pin {
		conn = sockopt.Pin(conn)
	}
	if a.verify != nil {
		a.verify.later(conn)
	}
	return conn, nil
}

// A socketAcceptor is an acceptor with access to its socket, so that it can be
// wrapped, set and read.
type socketAcceptor struct {
	acceptor
	syscall.Conn
}

// A tcpAcceptor also has the methods of *net.TCPListener that servers look for.
// AcceptTCP is not among them: it would return connections without their
// options.
type tcpAcceptor struct {
	acceptor
	tcpMethods
}

// tcpMethods are those methods. They are looked for instead of the type
// *net.TCPListener, because a listener from [Wrap] and one that embeds a
// *net.TCPListener have them too.
type tcpMethods interface {
	syscall.Conn
	SetDeadline(time.Time) error
	File() (*os.File, error)
}

// withMethodsOf returns a with those optional methods that its listener l has.
func withMethodsOf(l net.Listener, a acceptor) net.Listener {
	switch l := l.(type) {
	case tcpMethods:
		return &tcpAcceptor{a, l}
	case syscall.Conn:
		return &socketAcceptor{a, l}
	}
	return &a
}

// A reporter passes option errors to the user's function or to the log.
type reporter struct {
	to func(net.Conn, error)

	mu   sync.Mutex
	seen map[string]bool
}

// maxSeen bounds the errors that the reporter remembers, and so the number that
// it logs. Errors hold option names, values and errnos, so a program sees only a
// few distinct ones.
const maxSeen = 64

func newReporter(to func(net.Conn, error)) *reporter {
	return &reporter{to: to, seen: map[string]bool{}}
}

func (r *reporter) deliver(conn net.Conn, err error) {
	err = named(err)
	if r.to != nil {
		r.to(conn, err)
		return
	}
	if r.isNew(err.Error()) {
		slog.Warn("keepalive option not set", "error", err)
	}
}

func (r *reporter) isNew(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[text] || len(r.seen) == maxSeen {
		return false
	}
	r.seen[text] = true
	return true
}
