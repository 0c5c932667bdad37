package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// A probedBody is one whose length is not known. Its first Read ends the connections of
// the server, and takes a while: net/http reads a byte of it, or waits 200 ms for one,
// before it sends a request with a method that has no body, usually.
type probedBody struct {
	onceBody
	before func()
	once   sync.Once
	last   error // of the Read that brings the last byte
}

func (b *probedBody) Read(p []byte) (int, error) {
	b.once.Do(b.before)
	n, err := b.Reader.Read(p)
	if r, ok := b.Reader.(*strings.Reader); ok && r.Len() == 0 && err == nil {
		err = b.last
	}
	return n, err
}

type bodyThatWasRead struct {
	tls      bool
	content  string
	takes    time.Duration // of the first Read, after the connections were closed
	last     error
	existing int // connections that are closed
}

// run reports whether the closes were seen while net/http waited for the first byte, which
// is not so on a machine that is too busy. Then the request was sent, and may be lost.
func (tt bodyThatWasRead) run(t *testing.T, method string) (seen bool) {
	var mu sync.Mutex
	var conns []net.Conn
	got := make(chan string, 10)
	var all sync.WaitGroup // of the first requests, so that each has a connection of its own
	all.Add(tt.existing)
	server := origin{tls: tt.tls, change: func(s *http.Server) {
		s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			mu.Lock()
			defer mu.Unlock()
			conns = append(conns, c)
			return ctx
		}
	}, handler: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			all.Done()
			all.Wait()
			return
		}
		b, err := io.ReadAll(r.Body)
		if err != nil { // of a request that the test may lose, or else what it got instead
			b = []byte(err.Error())
		}
		got <- r.Method + " " + string(b)
	}}.start(t)
	rt := newTransport(t, transport.Options{Base: trusting()})
	var some sync.WaitGroup
	for range tt.existing {
		some.Go(func() { get(t, rt, server.URL+"/first") })
	}
	some.Wait()
	mu.Lock()
	existing := slices.Clone(conns) // net/http may make another one meanwhile
	mu.Unlock()
	begin := time.Now()
	b := &probedBody{onceBody: onceBody{Reader: strings.NewReader(tt.content)}, last: tt.last, before: func() {
		for _, c := range existing {
			c.Close()
		}
		for !seen && time.Since(begin) < 150*time.Millisecond {
			time.Sleep(time.Millisecond)
			seen = rt.Stats().PeerClosed == uint64(len(existing))
		}
		time.Sleep(tt.takes)
	}}
	resp, err := rt.RoundTrip(must(http.NewRequest(method, server.URL, b)))
	closed := assert.Eventually(t, func() bool { return b.closed.Load() == 1 }, 10*time.Second, time.Millisecond)
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
	if !closed || !seen {
		return false
	}
	require.NoError(t, err)
	assert.Equal(t, method+" "+tt.content, <-got)
	assert.Empty(t, got)
	assert.Zero(t, rt.Stats().LostRaces)
	return true
}

// What net/http reads of a body before it sends anything is not lost when the connection
// turns out to be closed: the request is sent on another one, whole.
func TestABodyThatWasRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]bodyThatWasRead{
		"several bytes":            {content: "body", existing: 1},
		"over TLS":                 {tls: true, content: "body", existing: 1},
		"one byte":                 {content: "b", existing: 1},
		"one byte, io.EOF with it": {content: "b", last: io.EOF, existing: 1},
		"none":                     {existing: 1},
		"100 kB":                   {content: strings.Repeat("0123456789", 10_000), existing: 1},
		"several connections":      {content: "body", existing: 4},
		// net/http gives up waiting, and the Read goes on.
		"late":                 {content: "body", takes: 300 * time.Millisecond, existing: 1},
		"late, over TLS":       {tls: true, content: "body", takes: 300 * time.Millisecond, existing: 1},
		"late, several":        {content: "body", takes: 300 * time.Millisecond, existing: 4},
		"late, io.EOF with it": {content: "b", last: io.EOF, takes: 300 * time.Millisecond, existing: 1},
		"late, none":           {takes: 300 * time.Millisecond, existing: 1},
	} {
		for _, method := range []string{"GET", "DELETE", "PROPFIND"} {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				for range 10 {
					if tt.run(t, method) {
						return
					}
				}
				t.Error("the closes were never seen before net/http gave up waiting")
			})
		}
	}
}
