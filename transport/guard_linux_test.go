package transport_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// A onceBody can be read once. It counts how often it is closed.
type onceBody struct {
	io.Reader
	closed atomic.Int64
}

func (b *onceBody) Close() error { b.closed.Add(1); return nil }

// deaf is a connection whose reader notices nothing while the mutex is locked, as on a busy
// machine. Its socket can still be inspected.
type deaf struct {
	*net.TCPConn
	mu *sync.RWMutex
}

func (d deaf) Read(b []byte) (int, error) {
	n, err := d.TCPConn.Read(b)
	d.mu.RLock()
	defer d.mu.RUnlock()
	return n, err
}

// A connection that the server has closed gets no request, although net/http has
// not seen it yet; the request, whatever its body, goes out on another one.
func TestARequestMovesToAnotherConnection(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func() io.Reader{
		"no body":                       func() io.Reader { return nil },
		"a body that can be read again": func() io.Reader { return strings.NewReader("body") },
		"a body that cannot":            func() io.Reader { return &onceBody{Reader: strings.NewReader("body")} },
		"one of 100 kB":                 func() io.Reader { return &onceBody{Reader: bytes.NewReader(make([]byte, 100_000))} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got atomic.Int64
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				n, err := io.Copy(io.Discard, r.Body)
				assert.NoError(t, err)
				got.Store(n)
				io.WriteString(w, "x")
			}, nil)
			var mu sync.RWMutex
			base := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return deaf{c.(*net.TCPConn), &mu}, nil
			}}
			rt := newTransport(t, transport.Options{Base: base})
			read(t, rt, server.URL)
			mu.Lock()
			server.CloseClientConnections() // waits until they are
			time.Sleep(5 * time.Millisecond)
			time.AfterFunc(100*time.Millisecond, mu.Unlock) // the new connection is read from as well
			sent := body()
			resp, err := rt.RoundTrip(must(http.NewRequest(http.MethodPost, server.URL, sent)))
			require.NoError(t, err)
			resp.Body.Close()
			s := rt.Stats()
			assert.EqualValues(t, 2, s.Opened)
			assert.EqualValues(t, 1, s.PeerClosed, "%+v", s)
			assert.Zero(t, s.LostRaces)
			assert.Zero(t, s.Reused)
			if b, ok := sent.(*onceBody); ok {
				assert.EqualValues(t, 1, b.closed.Load())
				assert.Positive(t, got.Load())
			}
		})
	}
}

// A body is closed once, whether the request succeeds or not.
func TestTheBodyIsClosedOnce(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "x") // reads little of it
	}, nil)
	rt := newTransport(t, transport.Options{})
	for name, url := range map[string]string{
		"sent": server.URL, "no answer": server.URL + "/abort", "nobody listens": "http://127.0.0.1:1/",
	} {
		for range 2 {
			b := &onceBody{Reader: strings.NewReader("body")}
			if resp, err := rt.RoundTrip(must(http.NewRequest(http.MethodPost, url, b))); err == nil {
				resp.Body.Close()
			}
			assert.Eventually(t, func() bool { return b.closed.Load() == 1 }, 10*time.Second, time.Millisecond, name)
		}
	}
	b := &onceBody{Reader: strings.NewReader("body")}
	req := must(http.NewRequest(http.MethodPost, server.URL, b))
	req.Header["bad name"] = []string{""}
	_, err := rt.RoundTrip(req)
	assert.Error(t, err)
	assert.EqualValues(t, 1, b.closed.Load())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b = &onceBody{Reader: strings.NewReader("body")}
	_, err = rt.RoundTrip(must(http.NewRequestWithContext(ctx, http.MethodPost, server.URL, b)))
	assert.ErrorIs(t, err, context.Canceled)
	assert.EqualValues(t, 1, b.closed.Load())
}

// A failing Body.Read is an error once, not a reason to try again.
func TestABodyThatFails(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }, nil)
	rt := newTransport(t, transport.Options{})
	for range 3 {
		read(t, rt, server.URL)
		for _, again := range []bool{false, true} {
			req := must(http.NewRequest(http.MethodPost, server.URL, &onceBody{Reader: failing{}}))
			if again {
				req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(failing{}), nil }
			}
			_, err := rt.RoundTrip(req)
			assert.ErrorIs(t, err, os.ErrInvalid)
		}
	}
	assert.Zero(t, rt.Stats().LostRaces)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, os.ErrInvalid }

// seeing counts the files that it is asked to send.
type seeing struct {
	*net.TCPConn
	files *atomic.Int64
}

func (s seeing) ReadFrom(r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); ok {
		if _, ok := l.R.(*os.File); ok {
			s.files.Add(1)
		}
	}
	return s.TCPConn.ReadFrom(r)
}

// The body of a request that is a file is sent with sendfile.
func TestSendfile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	require.NoError(t, os.WriteFile(name, content, 0o600))
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.True(t, bytes.Equal(content, got))
	}, nil)
	var files atomic.Int64
	rt := newTransport(t, transport.Options{Base: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return seeing{c.(*net.TCPConn), &files}, nil
		},
	}})
	for i := range 3 {
		f, err := os.Open(name)
		require.NoError(t, err)
		req := must(http.NewRequest(http.MethodPut, server.URL, f))
		req.ContentLength = int64(len(content))
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.EqualValues(t, i+1, files.Load())
		assert.ErrorIs(t, f.Close(), os.ErrClosed)
	}
	assert.EqualValues(t, 1, server.opened.Load())
}
