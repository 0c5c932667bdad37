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
