package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"
	"unsafe"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

//lint:file-ignore SA1019 A Base may dial with Dial or DialTLS, as net/http still lets it.

const (
	// maxIdleConns is the limit of http.DefaultTransport, for a Base that has none.
	maxIdleConns = 100
	// connectTimeout is how long http.DefaultTransport waits for a connection.
	connectTimeout = 30 * time.Second
)

// base returns a clone of the Base with the dialer and the limits of the plan. It also
// returns the Base itself, as a clone does not have the schemes that are registered there.
func (o *Options) base() (base *http.Transport, registered http.RoundTripper, err error) {
	from := o.Base
	if from == nil {
		var ok bool
		if from, ok = http.DefaultTransport.(*http.Transport); !ok {
			from = standard()
		}
	}
	t := clone(from)
	if scheme := overridden(from); scheme != "" {
		return nil, nil, fmt.Errorf("transport: Base.RegisterProtocol was called for %q, and what is registered there would not be asked: register only other schemes, or call it from a RoundTripper of your own", scheme)
	}
	if err := o.setDialer(t); err != nil {
		return nil, nil, err
	}
	if t.MaxIdleConnsPerHost == 0 {
		t.MaxIdleConnsPerHost = cmp.Or(t.MaxIdleConns, maxIdleConns)
	}
	if o.Plan != nil && o.Plan.Heartbeat != nil {
		follow(t, o.Plan.Heartbeat)
	}
	return t, from, nil
}

// setDialer gives t the Dialer. If there is none, and t has no dialer but that of
// net/http, it gets a tuned one.
func (o *Options) setDialer(t *http.Transport) error {
	if netHTTPDial != nil && t.DialContext != nil && sameFunc(t.DialContext, netHTTPDial) {
		t.DialContext = nil
	}
	if o.Dialer != nil {
		for _, own := range []struct {
			name string
			set  bool
		}{
			{"DialContext", t.DialContext != nil}, {"Dial", t.Dial != nil},
			{"DialTLSContext", t.DialTLSContext != nil}, {"DialTLS", t.DialTLS != nil},
		} {
			if own.set {
				return fmt.Errorf("transport: Dialer and Base.%s are both set, and only one can make a connection: leave one out; what a TLS connection needs goes into Base.TLSClientConfig", own.name)
			}
		}
		return use(t, o.Dialer)
	}
	switch dial := t.Dial; {
	case t.DialContext != nil:
		return nil
	case dial != nil:
		t.DialContext = func(_ context.Context, network, address string) (net.Conn, error) {
			return dial(network, address)
		}
		return nil
	}
	d := &dialer.Dialer{Base: net.Dialer{Timeout: connectTimeout}}
	cfg, _, err := sockopt.Recommended().Nearest()
	if errors.Is(err, errors.ErrUnsupported) { // no keepalive at all (js, wasip1, Plan 9)
		t.DialContext = d.Base.DialContext
		return nil
	} else if err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	d.Config = cfg
	return use(t, d)
}

// wrapDials makes what the Base dials known to t. A hook that returns nothing at all is
// an error, as it is in net/http.
func (t *Transport) wrapDials() {
	dial := t.base.DialContext
	t.base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		switch {
		case err != nil:
			return nil, err
		case c == nil:
			return nil, errors.New("transport: the Base's DialContext or Dial returned (nil, nil)")
		}
		t.counts.opened.Add(1)
		return newConn(c, t, address), nil
	}
	// The other two are net/http's own, and their connections are only counted.
	opened := func(c net.Conn, err error) (net.Conn, error) {
		if c != nil && err == nil {
			t.counts.opened.Add(1)
		}
		return c, err
	}
	if secure := t.base.DialTLSContext; secure != nil {
		t.base.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			return opened(secure(ctx, network, address))
		}
	}
	if secure := t.base.DialTLS; secure != nil {
		t.base.DialTLS = func(network, address string) (net.Conn, error) {
			return opened(secure(network, address))
		}
	}
}

func use(t *http.Transport, d *dialer.Dialer) error {
	if err := d.Check(); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	t.DialContext = d.DialContext
	return nil
}

// netHTTPDial is the DialContext of http.DefaultTransport: a net.Dialer with 30 s, 15 s and
// 9. A clone of http.DefaultTransport, which is the usual way to add a certificate authority
// or a proxy, has it too.
var netHTTPDial = func() func(context.Context, string, string) (net.Conn, error) {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.DialContext
	}
	return nil
}()

// sameFunc reports whether two values are one function, bound to the same receiver.
// Go compares functions only with nil, and reflect sees the code alone, which all
// net.Dialers share; but a value of a func type is a pointer to what it is bound to.
func sameFunc[F func(context.Context, string, string) (net.Conn, error)](a, b F) bool {
	return *(*unsafe.Pointer)(unsafe.Pointer(&a)) == *(*unsafe.Pointer)(unsafe.Pointer(&b))
}

// follow applies what a plan says about a path that ignores keepalive probes.
func follow(t *http.Transport, h *align.Heartbeat) {
	if h.IdleConnTimeout > 0 && (t.IdleConnTimeout == 0 || t.IdleConnTimeout > h.IdleConnTimeout) {
		t.IdleConnTimeout = h.IdleConnTimeout
	}
	counts := slices.ContainsFunc(h.Kinds, func(k align.HeartbeatKind) bool { return k.Name == "HTTP/2 PING" })
	if h.Every > 0 && counts {
		pings := http.HTTP2Config{}
		if t.HTTP2 != nil {
			pings = *t.HTTP2
		}
		if pings.SendPingTimeout == 0 || pings.SendPingTimeout > h.Every {
			pings.SendPingTimeout = h.Every
		}
		t.HTTP2 = &pings
	}
}
