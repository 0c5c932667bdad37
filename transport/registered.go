package transport

import (
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
)

// overridden returns "http" or "https" if RegisterProtocol was called for it, so
// that t does not make those connections itself, and "" if it was not. HTTP/2
// registers itself for https; that does not count.
//
// Clone leaves what is registered behind, and there is no other way to ask: this
// reads a field of net/http. Where a version of Go has no such field the answer is
// "", and TestRegisteredForHTTPIsRefused fails.
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

// registered returns the types of what RegisterProtocol was called with.
func registered(t *http.Transport) map[string]reflect.Type {
	protocols := reflect.ValueOf(t).Elem().FieldByName("altProto")
	if !protocols.IsValid() || protocols.Type() != reflect.TypeFor[atomic.Value]() {
		return nil
	}
	stored := protocols.FieldByName("v")
	if stored.Kind() != reflect.Interface || stored.Elem().Kind() != reflect.Map {
		return nil
	}
	types := map[string]reflect.Type{}
	for entries := stored.Elem().MapRange(); entries.Next(); {
		if rt := entries.Value(); entries.Key().Kind() == reflect.String && rt.Kind() == reflect.Interface && !rt.IsNil() {
			types[entries.Key().String()] = rt.Elem().Type()
		}
	}
	return types
}
