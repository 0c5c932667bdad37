package transport_test

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A backend closes idle connections after timeout, which is called for each response. It
// announces that time if announces is true.
type backend struct {
	timeout   func(response int64) time.Duration
	announces bool
	says      time.Duration // what it announces, if not the truth
	restarts  bool          // between the rounds: idle connections are closed, whatever their age

	responses atomic.Int64
	closed    atomic.Bool // a connection, after the timeout
	mu        sync.Mutex
	idle      map[net.Conn]time.Time
}

func always(d time.Duration) func(int64) time.Duration {
	return func(int64) time.Duration { return d }
}

func (b *backend) start(t testing.TB, secure bool) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = l.Addr().String()
	if secure {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate()}})
	}
	b.idle = map[net.Conn]time.Time{}
	testkit.Serve(t, l, b.serve)
	return address
}

func (b *backend) serve(c net.Conn) {
	for r := bufio.NewReader(c); ; {
		req, err := http.ReadRequest(r)
		if err != nil {
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				b.closed.Store(true)
			}
			return
		}
		b.mu.Lock()
		delete(b.idle, c)
		b.mu.Unlock()
		io.Copy(io.Discard, req.Body)
		time.Sleep(short / 40) // so that requests of one time need connections of their own, to all backends
		timeout := b.timeout(b.responses.Add(1))
		header := ""
		if b.announces || b.says > 0 {
			header = fmt.Sprintf("Keep-Alive: timeout=%d\r\n", cmp.Or(b.says, timeout)/time.Second)
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: 1\r\n\r\nx", header)
		c.SetReadDeadline(time.Now().Add(timeout))
		b.mu.Lock()
		b.idle[c] = time.Now()
		b.mu.Unlock()
	}
}

// restart closes all idle connections, however long they have been idle.
func (b *backend) restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.idle {
		c.Close()
		delete(b.idle, c)
	}
}

// balance returns an address that leads to the backends in turn.
func balance(t testing.TB, secure bool, backends []*backend) site {
	t.Helper()
	var addresses []string
	for _, b := range backends {
		addresses = append(addresses, b.start(t, secure))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var n atomic.Int64
	testkit.Serve(t, l, func(down net.Conn) {
		up, err := net.Dial("tcp", addresses[int(n.Add(1))%len(addresses)])
		if err != nil {
			return
		}
		go func() {
			io.Copy(up, down)
			up.Close()
		}()
		io.Copy(down, up)
	})
	scheme := "http"
	if secure {
		scheme = "https"
	}
	s := site{url: scheme + "://" + l.Addr().String(), base: trusting}
	if last := backends[len(backends)-1]; last.restarts {
		// Early enough that no request is on its way to what is closed: that would be
		// lost by any client.
		s.between = func() {
			time.Sleep(short / 4)
			last.restart()
		}
		s.closed = backends[0].closed.Load // closes of a restart show no timeout
	}
	return s
}

// racesWithBackends are races to an address with several servers behind it, whose timeouts
// differ or change, or which restart, over TCP, TLS, and TLS through proxies.
func racesWithBackends() (races []race) {
	minute := always(time.Minute)
	for _, p := range []struct {
		name     string
		backends func() []*backend
		pauses   []time.Duration
		header   bool
	}{
		{"1 s and 60 s, announced", func() []*backend {
			return []*backend{{timeout: always(time.Second), announces: true}, {timeout: minute, announces: true}}
		}, atSecond, true},
		{"1 s announced, 60 s not", func() []*backend {
			return []*backend{{timeout: always(time.Second), announces: true}, {timeout: minute}}
		}, atSecond, true},
		{"0.8 s not announced, 60 s announced", func() []*backend {
			return []*backend{{timeout: always(short)}, {timeout: minute, announces: true}}
		}, atShort, false},
		{"0.8 s and 60 s, not announced", func() []*backend {
			return []*backend{{timeout: always(short)}, {timeout: minute}}
		}, atShort, false},
		{"0.8 s and 1.6 s, not announced", func() []*backend {
			return []*backend{{timeout: always(short)}, {timeout: always(2 * short)}}
		}, []time.Duration{short, 2 * short}, false},
		{"announces 1 s and 60 s by turns", func() []*backend {
			return []*backend{{announces: true, timeout: func(n int64) time.Duration {
				return []time.Duration{time.Second, time.Minute}[n/4%2]
			}}}
		}, atSecond, true},
		{"grows from 0.8 s to 1.6 s, shrinks to 1.2 s, not announced", func() []*backend {
			return []*backend{{timeout: func(n int64) time.Duration {
				return []time.Duration{short, 2 * short, short * 3 / 2}[min(n/8, 2)]
			}}}
		}, []time.Duration{short, 2 * short, short * 3 / 2}, false},
		{"0.8 s and 60 s, not announced, doubted", func() []*backend {
			return []*backend{{timeout: always(short)}, {timeout: minute}}
		}, atShort, false},
		{"0.8 s although 60 s is announced, doubted", func() []*backend {
			return []*backend{{timeout: always(short), says: time.Minute}}
		}, atShort, false},
		{"0.8 s not announced, and one that restarts", func() []*backend {
			return []*backend{{timeout: always(short)}, {timeout: minute, restarts: true}}
		}, atShort, false},
	} {
		for i, way := range []string{"", ", TLS", ", TLS, HTTP proxy", ", TLS, HTTPS proxy"} {
			reach := func(t testing.TB) site { return balance(t, i > 0, p.backends()) }
			if i > 1 {
				reach = through(reach, []string{"http", "https"}[i-2], 0)
			}
			races = append(races, race{name: p.name + way, doubts: strings.HasSuffix(p.name, "doubted"), reach: reach, apart: true, header: p.header, pauses: p.pauses})
		}
	}
	return races
}
