package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
	"github.com/tcpkeepalive/keepalive/transport"
)

//lint:file-ignore SA1019 A Base may dial with Dial or DialTLS, as net/http still lets it.

// A connecting proxy takes CONNECT, and counts it.
type connecting struct {
	*httptest.Server
	tunnels atomic.Int64
}

func newProxy(t *testing.T, overTLS bool) *connecting {
	t.Helper()
	p := &connecting{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		target, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer target.Close()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		p.tunnels.Add(1)
		io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			io.Copy(target, client)
			target.Close()
		}()
		io.Copy(client, target)
	}))
	if overTLS {
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(p.Close)
	return p
}

// A path is how a test reaches a server.
type path struct {
	name  string
	proxy *connecting
}

func (p path) of(base *http.Transport) *http.Transport {
	if p.proxy != nil {
		base.Proxy = http.ProxyURL(must(url.Parse(p.proxy.URL)))
	}
	return base
}

func paths(t *testing.T) []path {
	return []path{{"direct", nil}, {"HTTP proxy", newProxy(t, false)}, {"HTTPS proxy", newProxy(t, true)}}
}

// A Base speaks what net/http would speak with it: each row is sent twice, with the
// Base itself and with a Transport made of it.
func TestHTTP2WhereTheBaseSpeaksIt(t *testing.T) {
	t.Parallel()
	server := http2Server(t)
	trust := func() *tls.Config { return server.Client().Transport.(*http.Transport).TLSClientConfig.Clone() }
	plain := new(net.Dialer)
	both, none := new(http.Protocols), new(http.Protocols)
	both.SetHTTP1(true)
	both.SetHTTP2(true)
	none.SetHTTP1(true)
	rows := map[string]struct {
		base  func() *http.Transport
		major int
	}{
		"the zero Base": {func() *http.Transport {
			b := &http.Transport{}
			b.CloseIdleConnections() // configures HTTP/2, before there is a TLSClientConfig
			b.TLSClientConfig.RootCAs = trust().RootCAs
			return b
		}, 2},
		"a TLSClientConfig": {func() *http.Transport { return &http.Transport{TLSClientConfig: trust()} }, 1},
		"a DialContext": {func() *http.Transport {
			return &http.Transport{TLSClientConfig: trust(), DialContext: plain.DialContext}
		}, 1},
		"a Dial":            {func() *http.Transport { return &http.Transport{TLSClientConfig: trust(), Dial: plain.Dial} }, 1},
		"ForceAttemptHTTP2": {func() *http.Transport { return &http.Transport{TLSClientConfig: trust(), ForceAttemptHTTP2: true} }, 2},
		"Protocols with":    {func() *http.Transport { return &http.Transport{TLSClientConfig: trust(), Protocols: both} }, 2},
		"Protocols without": {func() *http.Transport { return &http.Transport{TLSClientConfig: trust(), Protocols: none} }, 1},
		"an empty TLSNextProto": {func() *http.Transport {
			return &http.Transport{TLSClientConfig: trust(), ForceAttemptHTTP2: true, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
		}, 1},
		"a clone of the default": {func() *http.Transport {
			b := http.DefaultTransport.(*http.Transport).Clone()
			b.TLSClientConfig = trust()
			return b
		}, 2},
	}
	for _, p := range paths(t) {
		for rule, row := range rows {
			t.Run(p.name+", "+rule, func(t *testing.T) {
				t.Parallel()
				bare := p.of(row.base())
				defer bare.CloseIdleConnections()
				assert.Equal(t, row.major, get(t, bare, server.URL).ProtoMajor, "net/http")
				for state, base := range map[string]*http.Transport{"new": p.of(row.base()), "used": bare} {
					rt := newTransport(t, transport.Options{Base: base})
					assert.Equal(t, row.major, get(t, rt, server.URL).ProtoMajor, "a %s Base", state)
				}
			})
		}
	}
}

// What a Base dials with is used, whichever field it stands in.
func TestTheBaseDials(t *testing.T) {
	t.Parallel()
	plain, secure := serve(t, func(http.ResponseWriter, *http.Request) {}, nil), http2Server(t)
	trust := secure.Client().Transport.(*http.Transport).TLSClientConfig
	// A name that only a tunnel reaches.
	const target = "inside.example:80"
	to := func(address string) func(string, string) (net.Conn, error) {
		return func(network, asked string) (net.Conn, error) {
			if !strings.HasPrefix(asked, "inside.example:") {
				return nil, errors.New("dialed " + asked)
			}
			return net.Dial(network, address)
		}
	}
	toTLS := func(network, asked string) (net.Conn, error) {
		return tls.Dial(network, secure.Listener.Addr().String(), &tls.Config{RootCAs: trust.RootCAs, ServerName: "example.com"})
	}
	withContext := func(dial func(string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
		return func(_ context.Context, network, address string) (net.Conn, error) { return dial(network, address) }
	}
	tunnel := to(plain.Listener.Addr().String())
	for rule, row := range map[string]struct {
		base *http.Transport
		url  string
	}{
		"Dial":        {&http.Transport{Dial: tunnel}, "http://" + target},
		"DialContext": {&http.Transport{DialContext: withContext(tunnel)}, "http://" + target},
		"DialContext before Dial": {&http.Transport{DialContext: withContext(tunnel), Dial: func(string, string) (net.Conn, error) {
			return nil, errors.New("Dial was called")
		}}, "http://" + target},
		"Dial, TLS": {&http.Transport{
			Dial:            to(secure.Listener.Addr().String()),
			TLSClientConfig: &tls.Config{RootCAs: trust.RootCAs, ServerName: "example.com"},
		}, "https://inside.example"},
		"DialTLS":        {&http.Transport{DialTLS: toTLS}, "https://inside.example"},
		"DialTLSContext": {&http.Transport{DialTLSContext: withContext(toTLS)}, "https://inside.example"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			rt := newTransport(t, transport.Options{Base: row.base})
			assert.Equal(t, http.StatusOK, get(t, rt, row.url).StatusCode)
			_, err := transport.New(transport.Options{Base: row.base, Dialer: new(dialer.Dialer)})
			field, _, _ := strings.Cut(rule, " ")
			assert.ErrorContains(t, err, "Dialer and Base."+strings.TrimSuffix(field, ",")+" are both set")
		})
	}
}

// The usual way to add a certificate authority, a client certificate or a proxy is
// a clone of the default: it keeps what a Transport is for.
func TestACloneOfTheDefaultKeepsTheBenefit(t *testing.T) {
	t.Parallel()
	recommended := must(nearest())
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Len(t, r.TLS.PeerCertificates, 1, "the client's certificate")
			time.Sleep(20 * time.Millisecond)
			io.WriteString(w, "x")
		}))
		server.EnableHTTP2 = http2
		server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		server.StartTLS()
		t.Cleanup(server.Close)
		for _, p := range paths(t) {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				base := http.DefaultTransport.(*http.Transport).Clone()
				base.TLSClientConfig = &tls.Config{
					RootCAs:      server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
					Certificates: server.TLS.Certificates,
				}
				base.ForceAttemptHTTP2 = http2
				rt := newTransport(t, transport.Options{Base: p.of(base)})
				resp, got := testkit.GetHTTP(t, rt, server.URL)
				assert.Equal(t, http2, resp.ProtoMajor == 2)
				assert.Equal(t, testkit.Values{
					KeepAlive: 1, Idle: int(recommended.Idle / time.Second), Interval: int(recommended.Interval / time.Second),
					Count: recommended.Count, UserTimeout: int(recommended.UserTimeout / time.Millisecond),
				}, got, "not 30 s, 15 s and 9")
				if !http2 {
					assert.Equal(t, 100, transport.BaseOf(rt).MaxIdleConnsPerHost)
				}
				if p.proxy != nil {
					assert.Positive(t, p.proxy.tunnels.Load())
				}

				_, got = testkit.GetHTTP(t, newTransport(t, transport.Options{Base: base, Dialer: &dialer.Dialer{Config: asked}}), server.URL)
				assert.Equal(t, askedValues, got, "a Dialer takes the place of net/http's own")
			})
		}
	}
	for want, base := range map[int]*http.Transport{
		7: {MaxIdleConnsPerHost: 7, MaxIdleConns: 50}, 50: {MaxIdleConns: 50}, 100: {}, -1: {MaxIdleConnsPerHost: -1},
	} {
		assert.Equal(t, want, transport.BaseOf(newTransport(t, transport.Options{Base: base})).MaxIdleConnsPerHost)
	}
}

func nearest() (sockopt.Config, error) {
	cfg, _, err := sockopt.Recommended().Nearest()
	return cfg, err
}

// A dialer of one's own is not net/http's, although it has the same type.
func TestOnesOwnNetDialerIsKept(t *testing.T) {
	t.Parallel()
	server := serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.DialContext = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 77 * time.Second, Interval: 7 * time.Second, Count: 5}}).DialContext
	_, got := testkit.GetHTTP(t, newTransport(t, transport.Options{Base: base}), server.URL)
	assert.Equal(t, testkit.Values{KeepAlive: 1, Idle: 77, Interval: 7, Count: 5}, got)
	_, err := transport.New(transport.Options{Base: base, Dialer: new(dialer.Dialer)})
	assert.ErrorContains(t, err, "Dialer and Base.DialContext are both set")
}

// scheme answers for a scheme.
type scheme struct{ name string }

func (s scheme) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusTeapot, Status: s.name, Body: http.NoBody, Request: r}, nil
}

func TestRegisteredSchemesAreKept(t *testing.T) {
	t.Parallel()
	base := &http.Transport{}
	base.RegisterProtocol("memory", scheme{"memory"})
	rt := newTransport(t, transport.Options{Base: base})
	base.RegisterProtocol("later", scheme{"later"})
	client := http.Client{Transport: rt}
	for _, name := range []string{"memory", "later"} {
		resp, err := client.Get(name + "://anything/x")
		require.NoError(t, err)
		assert.Equal(t, name, resp.Status)
	}
	_, err := client.Get("unheard://of")
	assert.ErrorContains(t, err, `unsupported protocol scheme "unheard"`)
	_, err = (&http.Client{Transport: newTransport(t, transport.Options{})}).Get("unheard://of")
	assert.ErrorContains(t, err, `unsupported protocol scheme "unheard"`)
}

// A Transport would make the connections of these itself, past what is registered.
func TestRegisteredForHTTPIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"http", "https"} {
		base := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
		base.RegisterProtocol(name, scheme{name})
		_, err := transport.New(transport.Options{Base: base})
		assert.ErrorContains(t, err, `Base.RegisterProtocol was called for "`+name+`"`)
	}
}

// RegisterProtocol may be called at any time, and http.DefaultTransport is everybody's.
// Under the race detector, this is what it watches.
func TestRegisterWhileATransportIsMade(t *testing.T) {
	t.Parallel()
	base := &http.Transport{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 100 {
			base.RegisterProtocol(fmt.Sprint("memory", i), scheme{"memory"})
		}
	})
	wg.Go(func() {
		for range 100 {
			_, err := transport.New(transport.Options{Base: base})
			assert.NoError(t, err)
		}
	})
	wg.Wait()
}
