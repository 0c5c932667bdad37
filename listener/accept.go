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

// An acceptor finishes what accepted connections did not inherit.
type acceptor struct {
	net.Listener
	again  *socket.Setter // nil if everything is inherited
	pin    bool
	verify *verifier // nil: nothing is verified later
	report *reporter
}

// Accept hands out every connection that it accepts; what could not be set goes
// to the reporter.
func (a *acceptor) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if a.again != nil {
		if err := a.again.Set(conn); err != nil {
			a.report.hear(conn, err)
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

// A socketAcceptor is one whose socket can be seen, and so wrapped, set and read.
type socketAcceptor struct {
	acceptor
	syscall.Conn
}

// A tcpAcceptor also has the methods of *net.TCPListener that servers look for.
// AcceptTCP is not among them: it would hand out unfinished connections.
type tcpAcceptor struct {
	acceptor
	tcpMethods
}

// tcpMethods are those methods. What a listener is asked for is not its type: that
// of [Wrap] has them too, and so has one that embeds a *net.TCPListener.
type tcpMethods interface {
	syscall.Conn
	SetDeadline(time.Time) error
	File() (*os.File, error)
}

// withMethodsOf returns a with those of the methods that l, its listener, has.
func withMethodsOf(l net.Listener, a acceptor) net.Listener {
	switch l := l.(type) {
	case tcpMethods:
		return &tcpAcceptor{a, l}
	case syscall.Conn:
		return &socketAcceptor{a, l}
	}
	return &a
}

// A reporter passes option errors on, to the user's function or the log.
type reporter struct {
	to func(net.Conn, error)

	mu   sync.Mutex
	seen map[string]bool
}

// maxSeen bounds what the reporter remembers, and so logs. Errors hold option
// names, values and errnos, so a program meets a handful.
const maxSeen = 64

func newReporter(to func(net.Conn, error)) *reporter {
	return &reporter{to: to, seen: map[string]bool{}}
}

func (r *reporter) hear(conn net.Conn, err error) {
	if r.to != nil {
		r.to(conn, err)
		return
	}
	if r.isNew(err.Error()) {
		slog.Warn("listener: keepalive option not set", "error", err)
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
