package transport

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// IdleLimit is how long this connection, as GotConn shows it, may be idle.
func IdleLimit(c net.Conn) time.Duration { return watched(c).limit() }

func BaseOf(t *Transport) *http.Transport { return t.base }

func HostsOf(t *Transport) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.hosts)
}

func RememberHosts(t *Transport, n int) {
	for i := range n {
		t.host(hostKey{"http", fmt.Sprint("remembered", i)})
	}
}

// LearnFrom is as if a server had closed a connection like this one after idle.
func LearnFrom(c net.Conn, idle time.Duration) { w := watched(c); w.observe(w.host.Load(), idle) }

// Forget what was learned for this connection's host.
func Forget(c net.Conn) { watched(c).host.Load().silent.least.Store(0) }

// IsRestart reports whether closes after these idle times, seen at once, are no timeout.
func IsRestart(times []time.Duration) bool { return different(times) >= 3 }

// HostOf is what events call the host of this connection.
func HostOf(c net.Conn) string { return watched(c).host.Load().key.name() }

// DoubtAfter sets after how long what closes have shown is tested, at the latest.
func DoubtAfter(t *Transport, d time.Duration) { t.doubtAfter = d }
