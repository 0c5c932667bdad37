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

// A tcpAcceptor also has the methods of *net.TCPListener that servers look for.
// AcceptTCP is not among them: it would hand out unfinished connections.
type tcpAcceptor struct {
	acceptor
	tcp *net.TCPListener
}

func (a *tcpAcceptor) SyscallConn() (syscall.RawConn, error) { return a.tcp.SyscallConn() }
func (a *tcpAcceptor) SetDeadline(t time.Time) error         { return a.tcp.SetDeadline(t) }
func (a *tcpAcceptor) File() (*os.File, error)               { return a.tcp.File() }

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
