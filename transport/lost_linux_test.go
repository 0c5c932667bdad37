package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/transport"
)

// Requests that may not be sent twice are sent just as the server closes the connection.
func TestTheRace(t *testing.T) {
	t.Parallel()
	const clients = 500
	rounds := 3 // of a second each
	if testkit.LongTestsRun() {
		rounds = 20
	}
	timeout := time.Second
	// Each client has a host, and so a connection, of its own.
	race := func(rt http.RoundTripper) (failed, sent int64) {
		var failures atomic.Int64
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				for round := range rounds {
					req, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://client%d.example", i), io.NopCloser(strings.NewReader("body")))
					if !assert.NoError(t, err) {
						return
					}
					resp, err := rt.RoundTrip(req)
					if err != nil {
						failures.Add(1)
					} else {
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
					if round == rounds-1 {
						return
					}
					// The server's timer began when it had answered.
					jitter := time.Duration((i+round)%41-20) * 100 * time.Microsecond
					time.Sleep(timeout + jitter)
				}
			})
		}
		wg.Wait()
		return failures.Load(), clients * int64(rounds)
	}
	handler := func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }
	baseTo := func(server *counting) *http.Transport {
		return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
			return far{c}, err
		}}
	}
	announce := func(s *http.Server) { require.NoError(t, transport.Announce(s, timeout)) }
	bare := baseTo(serve(t, handler, announce))
	defer bare.CloseIdleConnections()
	ours := newTransport(t, transport.Options{Base: baseTo(serve(t, handler, announce))})
	var wg sync.WaitGroup
	for name, rt := range map[string]http.RoundTripper{"net/http": bare, "transport": ours} {
		wg.Go(func() {
			failed, sent := race(rt)
			t.Logf("%s: %d of %d failed", name, failed, sent)
			if rt == ours {
				assert.Zero(t, failed)
			} else {
				assert.Positive(t, failed, "requests are in danger at these times")
			}
		})
	}
	wg.Wait()
	s := ours.Stats()
	t.Logf("%+v", s)
	assert.Zero(t, s.LostRaces)
}

// far is a connection to a server that is 1 ms away: all that it sends, a close
// too, comes that much later.
type far struct{ net.Conn }

func (c far) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	time.Sleep(time.Millisecond)
	return n, err
}

// The counters of a Transport count lost races, and nothing else as such.
func TestLostRacesAreCounted(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // answers once, and takes the second request without a word
				defer c.Close()
				b := bufio.NewReader(c)
				if r, err := http.ReadRequest(b); err == nil {
					io.Copy(io.Discard, r.Body)
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
					http.ReadRequest(b)
				}
			}()
		}
	}()
	url := "http://" + l.Addr().String()
	// On a busy machine the lost POST may come so late that it teaches a timeout, and
	// then nothing more is lost.
	const teaches = 20 * time.Millisecond
	for range 100 {
		lost := make(chan time.Duration, 10)
		rt := newTransport(t, transport.Options{Events: transport.Events{LostRace: func(_ string, idle time.Duration) { lost <- idle }}})
		read(t, rt, url)
		_, err = rt.RoundTrip(must(http.NewRequest(http.MethodPost, url, strings.NewReader("body"))))
		assert.ErrorIs(t, err, io.EOF)
		s := rt.Stats()
		assert.EqualValues(t, 1, s.LostRaces)
		idle := <-lost
		assert.Less(t, idle, 10*time.Second)
		assert.Empty(t, lost)
		assert.Zero(t, s.PeerClosed)
		if idle >= teaches {
			continue
		}
		// GET is sent again by net/http, and lost all the same.
		assert.Equal(t, "x", read(t, rt, url))
		assert.Equal(t, "x", read(t, rt, url))
		assert.EqualValues(t, 2, rt.Stats().LostRaces)
		return
	}
	t.Fatal("the machine is too busy")
}

// If only ReadFrom has noticed that the server ended the connection, the request has lost
// the race as well. A body that fails by itself has not.
func TestReadFromNoticesTheEnd(t *testing.T) {
	t.Parallel()
	for rule, row := range map[string]struct {
		closes bool
		lost   uint64
	}{"the server closes": {true, 1}, "the body fails": {false, 0}} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			closed := make(chan struct{})
			done := make(chan struct{})
			defer close(done)
			testkit.Serve(t, l, func(c net.Conn) {
				b := bufio.NewReader(c)
				http.ReadRequest(b)
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
				http.ReadRequest(b)
				if row.closes {
					c.(*net.TCPConn).SetLinger(0) // a reset
					c.Close()
				}
				close(closed)
				<-done
			})
			var mu sync.RWMutex // while it is locked, the result of Read does not arrive
			rt := newTransport(t, transport.Options{Base: &http.Transport{
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					c, err := new(net.Dialer).DialContext(ctx, network, address)
					if err != nil {
						return nil, err
					}
					return deaf{c.(*net.TCPConn), &mu}, nil
				},
			}})
			url := "http://" + l.Addr().String()
			read(t, rt, url)
			mu.Lock()
			defer mu.Unlock()
			first, rest := make([]byte, 64<<10), io.Reader(bytes.NewReader(make([]byte, 1<<20)))
			if !row.closes {
				rest = failing{}
			}
			body := io.MultiReader(bytes.NewReader(first), readerFunc(func(b []byte) (int, error) {
				<-closed
				return rest.Read(b)
			}))
			req := must(http.NewRequest(http.MethodPost, url, io.NopCloser(body)))
			req.ContentLength = 64<<10 + 1<<20
			_, err = rt.RoundTrip(req)
			assert.Error(t, err)
			assert.Equal(t, row.lost, rt.Stats().LostRaces)
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
