package transport

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// A guardedBody is the body of a request that cannot be had a second time. It is
// neither read nor closed for an attempt that nothing was sent of, so that there
// can be another one. Each attempt has one of its own.
type guardedBody struct {
	io.ReadCloser
	touched atomic.Bool // read from

	conn *conn // that the attempt got; nil: it has none yet, or one that is not watched
	use  int64

	mu       sync.Mutex
	waits    bool // net/http closed it, which was not passed on
	ours     bool // and has gone on with it, in another attempt; it closes no body twice
	returned bool // RoundTrip has returned
	closed   bool
}

// guard gives out a guarded body where it needs one. net/http asks a body that is
// not guarded for its type, to send it together with the header, or with sendfile.
func guard(out *http.Request) *guardedBody {
	if out.Body == nil || out.Body == http.NoBody || out.GetBody != nil {
		return nil
	}
	b := &guardedBody{ReadCloser: out.Body}
	out.Body = b
	return b
}

// held returns the phase of the attempt, and whether nothing of it has been sent.
func (b *guardedBody) held() (p phase, unsent bool) {
	if b.conn == nil {
		return sent, false
	}
	_, use, p := b.conn.now()
	return p, use == b.use && (p == picked || p == refused || p == shut)
}

func (b *guardedBody) holds() bool {
	_, unsent := b.held()
	return unsent
}

func (b *guardedBody) Read(buffer []byte) (int, error) {
	if p, unsent := b.held(); unsent && p != picked {
		return 0, errUnsent
	}
	b.touched.Store(true)
	n, err := b.ReadCloser.Read(buffer)
	if err != nil && b.ours {
		b.mu.Lock()
		b.closeOnce()
	}
	return n, err
}

// got notes the connection of an attempt, and whether something may be sent on it.
// HTTP/2 makes another attempt of its own with a body that it has closed, if it has
// read nothing of it.
func (b *guardedBody) got(c *conn, use int64, joined bool) {
	b.conn, b.use = c, use
	if joined {
		b.mu.Lock()
		b.ours = b.ours || b.waits
		b.waits = false
		b.mu.Unlock()
	}
}

func (b *guardedBody) Close() error {
	b.mu.Lock()
	if !b.returned && (b.conn == nil && !b.touched.Load() || b.holds()) {
		b.waits = true // until RoundTrip returns, or for ever
		b.mu.Unlock()
		return nil
	}
	return b.closeOnce()
}

// closeOnce has the lock, and releases it.
func (b *guardedBody) closeOnce() error {
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	return b.ReadCloser.Close()
}

// done: there will be no other attempt. RoundTrip closes the body, also where it
// fails.
func (b *guardedBody) done(failed bool) {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.returned = true
	if failed || b.waits {
		b.closeOnce()
		return
	}
	b.mu.Unlock()
}
