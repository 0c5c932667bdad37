package transport

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Announce sets the idle timeout of a server, and adds a header to its HTTP/1.1
// responses that says so: "Keep-Alive: timeout=60". A client that heeds the header, as
// [Transport] does, drops idle connections before the server closes them, so that it
// sends no request on a connection that is just being closed.
//
// Call it after Handler is set and before the server is started. If it is called again,
// the last call counts. The header has whole seconds, rounded down, so idle has to be
// 1 s or more.
//
// A response has no such header with HTTP/2, with HTTP/1.0, or if the handler has set
// one. Nor has a response after which net/http closes the connection: because the client
// or the handler asked for that, because the server shuts down or has
// SetKeepAlivesEnabled(false), or because most of the body of the request was left
// unread. A reason that arises after the header was sent cannot be announced: the
// handler may write less than the Content-Length that it has flushed.
//
// The first 2 KiB that a handler writes are held back until it flushes, writes more or
// returns, as in net/http itself. The handler gets a ResponseWriter of a type of this
// package. With HTTP/1.1 it is an http.Flusher, an http.Hijacker and an io.ReaderFrom.
// It is no http.CloseNotifier, which is deprecated: use the context of the request.
//
// http.MaxBytesReader cannot tell net/http through this ResponseWriter, or any other
// wrapper, that a body was too large. Therefore a response with the status 413 closes
// the connection, if the body was not read to its end.
func Announce(server *http.Server, idle time.Duration) error {
	if server == nil {
		return errors.New("transport: the http.Server is nil")
	}
	if idle < time.Second {
		return fmt.Errorf("transport: idle timeout %s: a Keep-Alive header has whole seconds, so it has to be 1s or more", idle)
	}
	server.IdleTimeout = idle
	handler := server.Handler
	if handler == nil {
		handler = http.DefaultServeMux
	}
	keeps := keepsConnections(server)
	// The value is that of the server when it has started: Announce may be called again,
	// for a Handler that contains this one.
	value := sync.OnceValue(func() string { return fmt.Sprintf("timeout=%d", server.IdleTimeout/time.Second) })
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || r.ProtoMinor < 1 || r.Close {
			handler.ServeHTTP(w, r)
			return
		}
		a := &announcer{ResponseWriter: w, value: value(), keeps: keeps, head: r.Method == http.MethodHead}
		defer a.release()
		if r.ContentLength == 0 {
			handler.ServeHTTP(a, r)
			a.finish()
			return
		}
		// A copy, as net/http looks at the type of the body of its own. What handlers
		// leave in it, net/http and handlers around this one have to find.
		a.body = watchBody(r)
		own := r.Body
		copied := new(http.Request)
		*copied = *r
		copied.Body = a.body
		handler.ServeHTTP(a, copied)
		a.finish()
		*r = *copied
		r.Body = own
	})
	return nil
}

// keepsConnections returns a function that reports whether the server keeps connections
// open. It does not after Shutdown or SetKeepAlivesEnabled(false). net/http does not say
// that before the header is on its way, so this reads two fields of http.Server. If a
// version of Go has no such fields, the answer is always yes, and
// TestAnnounceOfAServerThatCloses fails.
func keepsConnections(server *http.Server) func() bool {
	var flags []*atomic.Bool
	for _, name := range []string{"disableKeepAlives", "inShutdown"} {
		field := reflect.ValueOf(server).Elem().FieldByName(name)
		if field.IsValid() && field.Type() == reflect.TypeFor[atomic.Bool]() {
			flags = append(flags, (*atomic.Bool)(unsafe.Pointer(field.UnsafeAddr())))
		}
	}
	return func() bool {
		for _, flag := range flags {
			if flag.Load() {
				return false
			}
		}
		return true
	}
}
