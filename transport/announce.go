package transport

import (
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Announce sets the idle timeout of a server, and lets its HTTP/1.1 responses say
// so: "Keep-Alive: timeout=60". A client that heeds the header drops idle
// connections first, and no request is sent into one that is just being closed;
// [Transport] does.
//
// Call it after Handler is set and before the server is started; called again, the
// last time counts. The header has whole seconds, rounded down; idle has to be 1 s or
// more.
//
// There is none on HTTP/2, on HTTP/1.0, where the handler has set one, and on a
// response after which net/http closes the connection: because client or handler
// asked for it, the server shuts down or has SetKeepAlivesEnabled(false), or most
// of the request's body was left unread. What is decided after the header was sent,
// as by a handler that writes less than the Content-Length it has flushed, nobody
// can announce.
//
// A handler's first 2 KiB are held back until it flushes, writes more or returns, as
// net/http does itself. The ResponseWriter that it gets is a type of this package:
// with HTTP/1.1 that is an http.Flusher, an http.Hijacker and an io.ReaderFrom, but no
// http.CloseNotifier, which is deprecated: the request's context does the same.
//
// Of http.MaxBytesReader net/http does not learn through the
// ResponseWriter of this handler, nor of any other that is wrapped: a response with
// the status 413 closes the connection, if the body was not read to its end.
func Announce(server *http.Server, idle time.Duration) error {
	if idle < time.Second {
		return fmt.Errorf("transport: idle timeout %s: a Keep-Alive header has whole seconds, so it has to be 1s or more", idle)
	}
	server.IdleTimeout = idle
	handler := server.Handler
	if handler == nil {
		handler = http.DefaultServeMux
	}
	keeps := keepsConnections(server)
	// Of the server, as this may be called again for it, and then for a Handler that
	// has this one inside.
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

// keepsConnections returns a function that tells whether the server keeps
// connections open: it does not once Shutdown or SetKeepAlivesEnabled(false) was
// called. Nothing else in net/http says so before the header is on its way, so this
// looks at two fields of http.Server. Where a version of Go has no such fields the
// answer is always yes, and TestAnnounceOfAServerThatCloses fails.
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
