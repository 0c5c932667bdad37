package transport

import (
	"io"
	"net/http"
)

// unreadLimit is how much of a request's body net/http reads so that it can use the
// connection again (maxPostHandlerReadBytes in net/http/server.go).
const unreadLimit = 256 << 10

// A watchedBody is the body of a request that knows whether it was read to its end.
type watchedBody struct {
	io.ReadCloser
	left   int64 // negative: not known
	asks   bool  // it comes only if asked for: Expect: 100-continue
	ended  bool
	closed bool
	large  bool // more is left than net/http reads
}

func watchBody(r *http.Request) *watchedBody {
	return &watchedBody{ReadCloser: r.Body, left: r.ContentLength, asks: r.Header.Get("Expect") != ""}
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
	}
	if err == io.EOF {
		b.ended = true
	}
	return n, err
}

// Close reads the rest, as the body of net/http does, so that the end is seen here.
func (b *watchedBody) Close() error {
	b.drain()
	b.closed = true
	return b.ReadCloser.Close()
}

// drain reads the rest if net/http would read it.
func (b *watchedBody) drain() {
	if !b.ended && !b.closed && !b.asks && b.left < unreadLimit {
		_, err := io.CopyN(io.Discard, b, unreadLimit+1)
		b.large = err == nil // else it ended, or net/http will see why not
	}
}
