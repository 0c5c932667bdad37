// Command http-race sends requests just as the server's idle timeout ends, with a
// client that keeps connections longer than the server does: some are sent into a
// connection that is being closed, and a POST is not sent again.
//
//	go run ./http-race -clients 200 -rounds 10
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcpkeepalive/keepalive/transport"
)

func main() {
	log.SetFlags(0)
	clients := flag.Int("clients", 200, "how many, each with a connection of its own")
	rounds := flag.Int("rounds", 10, "requests of each")
	flag.Parse()
	if err := run(os.Stdout, *clients, *rounds); err != nil {
		log.Fatal(err)
	}
}

const serverTimeout = time.Second

func run(w io.Writer, clients, rounds int) error {
	fmt.Fprintf(w, "%d clients, %d POST requests each, %s apart; the server keeps an idle connection for %s\n", clients, rounds, serverTimeout, serverTimeout)
	var wg sync.WaitGroup
	lines := make([]string, 3)
	errs := make([]error, 3)
	for i, t := range []struct {
		name  string
		http2 bool
		wrap  func(*http.Transport) (http.RoundTripper, error)
	}{
		{"net/http, which keeps them for 90 s", false, bare},
		{"transport", false, func(t *http.Transport) (http.RoundTripper, error) {
			return transport.New(transport.Options{Base: t})
		}},
		{"net/http over HTTP/2", true, bare},
	} {
		wg.Go(func() {
			server, base, err := start(t.http2)
			if err != nil {
				errs[i] = err
				return
			}
			defer server.Close()
			rt, err := t.wrap(base)
			if err != nil {
				errs[i] = err
				return
			}
			failed := race(rt, server.URL, clients, rounds)
			sent := clients * rounds
			lines[i] = fmt.Sprintf("%-36s %5d of %d failed (%.1f %%)", t.name, failed, sent, 100*float64(failed)/float64(sent))
		})
	}
	wg.Wait()
	for i, line := range lines {
		if errs[i] != nil {
			return errs[i]
		}
		fmt.Fprintln(w, line)
	}
	return nil
}

func bare(t *http.Transport) (http.RoundTripper, error) { return t, nil }

// start starts a server, and returns a transport that reaches it by any name, 1 ms
// away.
func start(http2 bool) (*httptest.Server, *http.Transport, error) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
	}))
	if err := transport.Announce(server.Config, serverTimeout); err != nil {
		return nil, nil, err
	}
	server.EnableHTTP2 = http2
	base := &http.Transport{IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: http2}
	if http2 {
		server.StartTLS()
		base.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		base.TLSClientConfig.ServerName = "example.com" // of the certificate
	} else {
		server.Start()
	}
	base.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
		return far{c}, err
	}
	return server, base, nil
}

// far is a connection whose other end is 1 ms away: whatever it does comes that
// much later, a close too.
type far struct{ net.Conn }

func (c far) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	time.Sleep(time.Millisecond)
	return n, err
}

// race returns how many requests failed.
func race(rt http.RoundTripper, url string, clients, rounds int) int64 {
	scheme, _, _ := strings.Cut(url, ":")
	var failed atomic.Int64
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for round := range rounds {
				// A name of its own: so each client has its own connection.
				if err := post(rt, fmt.Sprintf("%s://client%d.example", scheme, i)); err != nil {
					failed.Add(1)
				}
				time.Sleep(serverTimeout + time.Duration((i+round)%41-20)*100*time.Microsecond)
			}
		})
	}
	wg.Wait()
	return failed.Load()
}

// post sends a request that net/http may not send twice.
func post(rt http.RoundTripper, url string) error {
	req, err := http.NewRequest(http.MethodPost, url, io.NopCloser(strings.NewReader("order 1 coffee")))
	if err != nil {
		return err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
