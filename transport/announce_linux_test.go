package transport_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

func announcing(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	require.NoError(t, transport.Announce(s.Config, 7900*time.Millisecond))
	assert.Equal(t, 7900*time.Millisecond, s.Config.IdleTimeout)
	s.EnableHTTP2 = true
	t.Cleanup(s.Close)
	return s
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, bytes.Repeat([]byte("x"), 100_000), 0o644))
	server := announcing(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/nothing":
		case "/write":
			w.Write([]byte("x"))
		case "/string":
			io.WriteString(w, "x")
		case "/status":
			w.WriteHeader(http.StatusTeapot)
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusOK)
		case "/flush":
			http.NewResponseController(w).Flush()
			w.(http.Flusher).Flush()
		case "/file":
			http.ServeFile(w, r, file)
		case "/own":
			w.Header().Set("Keep-Alive", "timeout=3")
		case "/close":
			w.Header().Set("Connection", "Upgrade, Close")
		case "/deadline":
			require.NoError(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)))
		case "/hijack":
			c, _, err := w.(http.Hijacker).Hijack()
			if assert.NoError(t, err) {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				c.Close()
			}
		}
	})
	server.Start()
	for path, want := range map[string]string{
		"/nothing": "timeout=7", "/write": "timeout=7", "/string": "timeout=7", "/status": "timeout=7",
		"/early": "timeout=7", "/flush": "timeout=7", "/file": "timeout=7", "/deadline": "timeout=7",
		"/own": "timeout=3", "/close": "", "/hijack": "",
	} {
		resp, err := server.Client().Get(server.URL + path)
		require.NoError(t, err, path)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err, path)
		resp.Body.Close()
		assert.Equal(t, want, resp.Header.Get("Keep-Alive"), path)
		if path == "/file" {
			assert.Len(t, body, 100_000)
		}
	}
	// A request that ends the connection itself.
	req := must(http.NewRequest(http.MethodGet, server.URL+"/write", nil))
	req.Close = true
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Empty(t, resp.Header.Get("Keep-Alive"))
}

func TestAnnounceLeavesHTTP2Alone(t *testing.T) {
	t.Parallel()
	server := announcing(t, func(w http.ResponseWriter, r *http.Request) {
		_, pusher := w.(http.Pusher)
		assert.True(t, pusher)
	})
	server.StartTLS()
	resp, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, 2, resp.ProtoMajor)
	assert.Empty(t, resp.Header.Get("Keep-Alive"))
}

func TestAnnounceRefuses(t *testing.T) {
	t.Parallel()
	server := http.Server{}
	for _, idle := range []time.Duration{0, -time.Second, 999 * time.Millisecond} {
		assert.ErrorContains(t, transport.Announce(&server, idle), "has to be 1s or more")
	}
	assert.Zero(t, server.IdleTimeout)
	assert.Nil(t, server.Handler)
	require.NoError(t, transport.Announce(&server, time.Second), "http.DefaultServeMux")
}

// The last call counts, also where the Handler was wrapped in between.
func TestAnnounceAgain(t *testing.T) {
	t.Parallel()
	for rule, wrap := range map[string]func(http.Handler) http.Handler{
		"twice":              func(h http.Handler) http.Handler { return h },
		"wrapped in between": func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "") },
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") }))
			require.NoError(t, transport.Announce(s.Config, time.Minute))
			s.Config.Handler = wrap(s.Config.Handler)
			require.NoError(t, transport.Announce(s.Config, 5*time.Second))
			s.Start()
			defer s.Close()
			assert.Equal(t, 5*time.Second, s.Config.IdleTimeout)
			resp, err := s.Client().Get(s.URL)
			require.NoError(t, err)
			resp.Body.Close()
			assert.Equal(t, []string{"timeout=5"}, resp.Header["Keep-Alive"])
		})
	}
}

// The announced time is true: the server keeps a connection that long, and closes
// it soon after.
func TestTheAnnouncedTimeIsTrue(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	require.NoError(t, transport.Announce(s.Config, time.Second))
	s.Start()
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	asked := time.Now()
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, c)
	require.NoError(t, err)
	kept := time.Since(asked)
	assert.GreaterOrEqual(t, kept, time.Second)
	assert.Less(t, kept, 15*time.Second, "on a busy machine")
}
