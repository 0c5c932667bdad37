package transport

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
)

// holdBack is how many bytes net/http keeps before it writes a header
// (bufferBeforeChunkingSize in net/http/server.go).
const holdBack = 2048

// An announcer adds its header just before net/http writes the header of the response, and
// decides whether to close the connection. Until then it keeps the status and the first
// bytes.
type announcer struct {
	http.ResponseWriter
	value string
	keeps func() bool
	head  bool
	body  *watchedBody // of the request; nil if it has none

	status     int // that the handler has written; 0 before
	held       *[]byte
	written    http.Header // as it was when the status was written, if the handler went on with it
	committed  bool        // the rest goes straight to net/http
	misfit     bool        // the handler wrote more or less than its Content-Length
	fullDuplex bool
}

var heldBuffers = sync.Pool{New: func() any { b := make([]byte, 0, holdBack); return &b }}

func (a *announcer) release() {
	if a.held != nil {
		*a.held = (*a.held)[:0]
		heldBuffers.Put(a.held)
		a.held = nil
	}
}

// Header returns the header that the handler changes. Changes after WriteHeader do not
// count any more, except trailers.
func (a *announcer) Header() http.Header {
	h := a.ResponseWriter.Header()
	if a.status != 0 && !a.committed && a.written == nil {
		a.written = h.Clone()
	}
	return h
}

// WriteHeader is called by the handler. It passes on informational responses, and what
// net/http complains about: a second status, or one that is invalid.
func (a *announcer) WriteHeader(status int) {
	switch {
	case a.committed:
	case a.status != 0:
		a.commit()
	case status == http.StatusSwitchingProtocols:
		a.committed = true
	case status >= 200 && status <= 999:
		a.status = status
		return
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *announcer) Write(b []byte) (int, error) {
	if !a.holds(len(b)) {
		a.commit()
		return a.ResponseWriter.Write(b)
	}
	*a.held = append(*a.held, b...)
	return len(b), nil
}

// WriteString writes without a copy to a byte slice.
func (a *announcer) WriteString(s string) (int, error) {
	if !a.holds(len(s)) {
		a.commit()
		return io.WriteString(a.ResponseWriter, s)
	}
	*a.held = append(*a.held, s...)
	return len(s), nil
}

// holds reports whether n more bytes may be kept. They may not if net/http would write the
// header now, or refuse the bytes.
func (a *announcer) holds(n int) bool {
	if a.committed {
		return false
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.held == nil {
		a.held = heldBuffers.Get().(*[]byte)
	}
	n += len(*a.held)
	if n > holdBack || a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		return false
	}
	if length, known := a.contentLength(); known && int64(n) > length {
		a.misfit = true
		return false
	}
	return true
}

// finish is called when the handler has returned.
func (a *announcer) finish() {
	if a.committed {
		return
	}
	held := 0
	if a.held != nil {
		held = len(*a.held)
	}
	bodyless := a.head || a.status == http.StatusNoContent || a.status == http.StatusNotModified
	if length, known := a.contentLength(); known && !bodyless && int64(held) < length {
		a.misfit = true
	}
	a.commit()
}

// contentLength returns the Content-Length that the handler has set, if it has.
func (a *announcer) contentLength() (int64, bool) {
	h := a.written
	if h == nil {
		h = a.ResponseWriter.Header()
	}
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	return n, err == nil && n >= 0
}

// ReadFrom lets the kernel use sendfile.
func (a *announcer) ReadFrom(r io.Reader) (n int64, err error) {
	if !a.committed {
		n, err = io.Copy(struct{ io.Writer }{a}, io.LimitReader(r, holdBack))
		if err != nil || n < holdBack {
			return n, err
		}
		a.commit()
	}
	m, err := io.Copy(a.ResponseWriter, r)
	return n + m, err
}

// Flush sends the bytes that were written so far.
func (a *announcer) Flush() { a.FlushError() }

// FlushError is Flush for http.ResponseController, which calls it.
func (a *announcer) FlushError() error {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	a.commit()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// EnableFullDuplex lets the handler read the body after it has written.
func (a *announcer) EnableFullDuplex() error {
	a.fullDuplex = true
	return http.NewResponseController(a.ResponseWriter).EnableFullDuplex()
}

// Hijack hands the connection over.
func (a *announcer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !a.committed {
		a.committed = true
		a.forward()
	}
	return http.NewResponseController(a.ResponseWriter).Hijack()
}

// Unwrap returns the ResponseWriter of net/http, for http.ResponseController.
func (a *announcer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// commit passes on what was kept, with the Keep-Alive header if the connection stays open.
func (a *announcer) commit() {
	if a.committed {
		return
	}
	a.committed = true
	h := a.ResponseWriter.Header()
	if a.written != nil { // net/http gets the header as it was, and then the trailers
		later := maps.Clone(h)
		clear(h)
		maps.Copy(h, a.written)
		defer func() {
			clear(h)
			maps.Copy(h, later)
		}()
	}
	_, set := h["Keep-Alive"]
	if keeps := a.keepsConnection(h); keeps && !set {
		h["Keep-Alive"] = []string{a.value}
	}
	a.forward()
}

// forward writes what was kept. If there is nothing, net/http does what it does after a
// handler that has written nothing.
func (a *announcer) forward() {
	if a.status != 0 {
		a.ResponseWriter.WriteHeader(a.status)
	}
	if a.held != nil && len(*a.held) > 0 {
		a.ResponseWriter.Write(*a.held) // an error comes with the next write, too
	}
}

// keepsConnection reports whether net/http is about to decide that the connection stays
// open (chunkWriter.writeHeader and response.shouldReuseConnection in
// net/http/server.go).
func (a *announcer) keepsConnection(h http.Header) bool {
	if a.misfit || closes(h) || strings.EqualFold(h.Get("Transfer-Encoding"), "identity") {
		return false
	}
	if a.body != nil && !a.fullDuplex && a.status != http.StatusRequestEntityTooLarge {
		a.body.drain()
	}
	if a.body != nil && !a.body.ended {
		if a.body.large || a.status == http.StatusRequestEntityTooLarge {
			h.Set("Connection", "close") // as net/http would have found
		}
		return false
	}
	return a.keeps() // last, as draining may take its time
}

// closes reports whether the handler wants the connection closed.
func closes(h http.Header) bool {
	for _, line := range h["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(textproto.TrimString(token), "close") {
				return true
			}
		}
	}
	return false
}
