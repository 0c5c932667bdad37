package transport

import (
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"unsafe"
)

// overridden returns "http" or "https" if RegisterProtocol was called for it, so
// that t does not make those connections itself, and "" if it was not. HTTP/2
// registers itself for https; that does not count.
//
// Clone does not copy what is registered, and net/http has no function that returns it, so
// this reads a field of http.Transport. If a version of Go has no such field, the result
// is "", and TestRegisteredForHTTPIsRefused fails.
func overridden(t *http.Transport) string {
	configured := &http.Transport{}
	configured.CloseIdleConnections() // configures HTTP/2
	bundled := registered(configured)["https"]
	for scheme, rt := range registered(t) {
		http2 := rt == bundled || strings.HasSuffix(rt.PkgPath(), "golang.org/x/net/http2")
		if scheme == "http" || scheme == "https" && !http2 {
			return scheme
		}
	}
	return ""
}

// registered returns the types of the RoundTrippers that RegisterProtocol was called with.
// Other goroutines may call it meanwhile.
func registered(t *http.Transport) map[string]reflect.Type {
	field := reflect.ValueOf(t).Elem().FieldByName("altProto")
	if !field.IsValid() || field.Type() != reflect.TypeFor[atomic.Value]() {
		return nil
	}
	protocols, _ := (*atomic.Value)(unsafe.Pointer(field.UnsafeAddr())).Load().(map[string]http.RoundTripper)
	types := map[string]reflect.Type{}
	for scheme, rt := range protocols { // a map that never changes: RegisterProtocol stores a new one
		if rt != nil {
			types[scheme] = reflect.TypeOf(rt)
		}
	}
	return types
}
