package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/transport"
)

// split prints where the time of two requests goes: the first makes a connection,
// the second finds it.
func split(w io.Writer) error {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond)
		io.WriteString(w, strings.Repeat("x", 1_000_000))
	}))
	defer server.Close()
	t := transport.Standard(new(dialer.Dialer))
	defer t.CloseIdleConnections()
	trusting(t)
	url := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	fmt.Fprintf(w, "%-16s %9s %9s %9s %9s %9s %9s\n", "time of", "DNS", "connect", "TLS", "server", "transfer", "total")
	for _, name := range []string{"a new connection", "a reused one"} {
		s, err := measure(t, url)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-16s", name)
		for _, d := range []time.Duration{s.dns, s.connect, s.tls, s.server, s.transfer, s.total} {
			fmt.Fprintf(w, " %8.2fms", float64(d)/float64(time.Millisecond))
		}
		fmt.Fprintln(w)
	}
	return nil
}

// A timing is the parts of a request, each 0 where there was none.
type timing struct{ dns, connect, tls, server, transfer, total time.Duration }

func measure(rt http.RoundTripper, url string) (s timing, err error) {
	var dns, connect, handshake, sent, first time.Time
	trace := &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { dns = time.Now() },
		DNSDone:              func(httptrace.DNSDoneInfo) { s.dns = time.Since(dns) },
		ConnectStart:         func(_, _ string) { connect = time.Now() },
		ConnectDone:          func(_, _ string, _ error) { s.connect = time.Since(connect) },
		TLSHandshakeStart:    func() { handshake = time.Now() },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { s.tls = time.Since(handshake) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { sent = time.Now() },
		GotFirstResponseByte: func() { first = time.Now() },
	}
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return s, err
	}
	began := time.Now()
	resp, err := rt.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return s, err
	}
	s.server, s.transfer, s.total = first.Sub(sent), time.Since(first), time.Since(began)
	return s, nil
}
