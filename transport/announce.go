package transport

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

// Announce sets the idle timeout of a server, and lets its HTTP/1 responses say
// so: "Keep-Alive: timeout=60". A client that heeds the header drops idle
// connections first, and no request is sent into one that is just being closed;
// [Transport] does.
//
//	server := &http.Server{Handler: mux}
//	err := transport.Announce(server, time.Minute)
//	l, err := listener.ListenConfig{Config: sockopt.Recommended()}.Listen(ctx, "tcp", ":8080")
//	server.Serve(l)
//
// Call it after Handler is set and before the server is started. The header has
// whole seconds, rounded down; there is none on a response that ends its
// connection, on HTTP/2, or where the handler has set one. idle has to be 1 s or
// more.
func Announce(server *http.Server, idle time.Duration) error {
	if idle < time.Second {
		return fmt.Errorf("transport: idle timeout %s: a Keep-Alive header has whole seconds, so it has to be 1s or more", idle)
	}
	server.IdleTimeout = idle
	handler := server.Handler
	if handler == nil {
		handler = http.DefaultServeMux
	}
	value := fmt.Sprintf("timeout=%d", idle/time.Second)
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || r.Close {
			handler.ServeHTTP(w, r)
			return
		}
		a := &announcer{ResponseWriter: w, value: value}
		handler.ServeHTTP(a, r)
		a.announce() // for a handler that writes nothing
	})
	return nil
}

// An announcer adds the header when the handler has set its own.
type announcer struct {
	http.ResponseWriter
	value string
	done  bool
}

// announce is called before the header is written.
func (a *announcer) announce() {
	if a.done {
		return
	}
	a.done = true
	h := a.Header()
	if _, set := h["Keep-Alive"]; !set && !closes(h) {
		h.Set("Keep-Alive", a.value)
	}
}

// closes tells whether the handler wants the connection closed.
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

// WriteHeader is the handler's; informational responses are passed on as they are.
func (a *announcer) WriteHeader(status int) {
	if status >= 200 {
		a.announce()
	} else if status == http.StatusSwitchingProtocols {
		a.done = true
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *announcer) Write(b []byte) (int, error) {
	a.announce()
	return a.ResponseWriter.Write(b)
}

// WriteString spares a copy.
func (a *announcer) WriteString(s string) (int, error) {
	a.announce()
	return io.WriteString(a.ResponseWriter, s)
}

// ReadFrom keeps sendfile.
func (a *announcer) ReadFrom(r io.Reader) (int64, error) {
	a.announce()
	return io.Copy(a.ResponseWriter, r)
}

// Flush sends what was written so far.
func (a *announcer) Flush() { a.FlushError() }

// FlushError is what http.ResponseController calls.
func (a *announcer) FlushError() error {
	a.announce()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Hijack hands the connection over.
func (a *announcer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.done = true
	return http.NewResponseController(a.ResponseWriter).Hijack()
}

// Unwrap is for http.ResponseController.
func (a *announcer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
