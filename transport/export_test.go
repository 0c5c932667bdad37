package transport

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// IdleLimit is how long a connection to this host may be idle.
func IdleLimit(t *Transport, address string) time.Duration {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return t.host(hostKey{u.Scheme, u.Host}).pool.Load().IdleConnTimeout
}

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
