package transport

import (
	"net/http"
	"sync"
)

// A guardedBody is the body of a request that can be read only once. As long as nothing of
// an attempt was sent, what was read of it is kept, and it is not closed, so that another
// attempt is possible. Each attempt has its own guardedBody.
type guardedBody struct {
	reading

	conn *conn // that the attempt got; nil: it has none yet, or one that is not watched
	use  int64

	mu       sync.Mutex
	waits    bool // net/http closed it, which was not passed on
	ours     bool // and has gone on with it, in another attempt; it closes no body twice
	returned bool // RoundTrip has returned
	closed   bool
}

// guard gives out a guarded body if it needs one. Otherwise the body keeps its type, as
// net/http looks at that, to send the body together with the header, or with sendfile.
func guard(out *http.Request) *guardedBody {
	if out.Body == nil || out.Body == http.NoBody || out.GetBody != nil {
		return nil
	}
	b := &guardedBody{reading: reading{source: &source{ReadCloser: out.Body}}}
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
	n, err := b.read(buffer, b.holds)
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
	if !b.returned && (b.conn == nil && b.fate.Load() == undecided || b.holds()) {
		b.waits = true // until RoundTrip returns, or for ever
		b.mu.Unlock()
		return nil
	}
	return b.closeOnce()
}

// closeOnce closes the body, unless it was closed before. The caller holds the lock,
// which closeOnce releases.
func (b *guardedBody) closeOnce() error {
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	return b.ReadCloser.Close()
}

// done is called when there will be no other attempt. RoundTrip has to close the body, also
// if it fails.
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
