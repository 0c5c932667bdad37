package transport_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/freeport"
)

// A site is a URL to which requests are sent, and a transport that reaches it. The server or
// proxy there closes idle connections after a while.
type site struct {
	url     string
	base    func() *http.Transport
	between func()      // if set, happens between the rounds of requests
	closed  func() bool // if set, reports whether it has closed a connection for having been idle
}

// trusting returns a transport that trusts the certificate of httptest.
func trusting() *http.Transport {
	roots := x509.NewCertPool()
	roots.AddCert(certificate().Leaf)
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 100}
}

// certificate is one for 127.0.0.1, whose key costs less than the one of httptest:
// there are thousands of handshakes.
var certificate = sync.OnceValue(func() tls.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: must(x509.ParseCertificate(raw))}
})

// ownCertificate returns a configuration with that certificate, for a server of httptest.
func ownCertificate() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate()}}
}

// An origin is a server of net/http.
type origin struct {
	tls, http2 bool
	change     func(*http.Server) // its idle timeout, say
	handler    http.HandlerFunc   // nil: answers "x"
}

func (o origin) start(t testing.TB) *httptest.Server {
	t.Helper()
	handler := o.handler
	if handler == nil {
		handler = func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, "x")
		}
	}
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = discard
	s.EnableHTTP2, s.TLS = o.http2, ownCertificate()
	if o.change != nil {
		o.change(s.Config)
	}
	if o.tls || o.http2 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func idleTimeout(d time.Duration) func(*http.Server) {
	return func(s *http.Server) { s.IdleTimeout = d }
}

func (o origin) site(t testing.TB) site {
	s := o.start(t)
	return site{url: s.URL, base: func() *http.Transport {
		base := trusting()
		base.ForceAttemptHTTP2 = o.http2
		return base
	}}
}

// through is a site as it is reached through a proxy of the scheme "http" or
// "https", which has an idle timeout of its own for what it does not tunnel.
func through(reach func(testing.TB) site, scheme string, idle time.Duration) func(testing.TB) site {
	return func(t testing.TB) site {
		t.Helper()
		return reach(t).through(t, scheme, idle)
	}
}

func (s site) through(t testing.TB, scheme string, idle time.Duration) site {
	t.Helper()
	forward := &httputil.ReverseProxy{
		Rewrite:   func(*httputil.ProxyRequest) {},
		Transport: &http.Transport{DisableKeepAlives: true}, ErrorLog: discard,
	}
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			forward.ServeHTTP(w, r)
			return
		}
		up, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		down, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			up.Close()
			return
		}
		io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			io.Copy(up, rw)
			up.Close()
		}()
		io.Copy(down, up)
		down.Close()
	}))
	proxy.Config.IdleTimeout, proxy.Config.ErrorLog, proxy.TLS = idle, discard, ownCertificate()
	if scheme == "https" {
		proxy.StartTLS()
	} else {
		proxy.Start()
	}
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	direct := s.base
	s.base = func() *http.Transport {
		base := direct()
		base.Proxy = http.ProxyURL(at)
		return base
	}
	return s
}

// one returns a site that is made once.
func one(reach func(testing.TB) site) func(testing.TB) site {
	var s *site
	return func(t testing.TB) site {
		if s == nil {
			made := reach(t)
			s = &made
		}
		return *s
	}
}

// saying408 answers with the status 408 on a connection that was idle for too long, and
// closes it.
func saying408(idle time.Duration) func(testing.TB) site {
	return func(t testing.TB) site {
		t.Helper()
		return serve408(t, idle)
	}
}

func serve408(t testing.TB, idle time.Duration) site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	testkit.Serve(t, l, func(c net.Conn) {
		b := bufio.NewReader(c)
		for {
			c.SetReadDeadline(time.Now().Add(idle))
			r, err := http.ReadRequest(b)
			if err != nil {
				io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				return
			}
			c.SetReadDeadline(time.Time{})
			io.Copy(io.Discard, r.Body)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
		}
	})
	return site{url: "http://" + l.Addr().String(), base: trusting}
}

// nginx returns a site of an nginx whose server block has these directives. The scheme "h2"
// is https with HTTP/2.
func nginx(scheme, directives string) func(testing.TB) site {
	return program("nginx", scheme, func(dir string, port int, certificate string) []string {
		listen := fmt.Sprintf("127.0.0.1:%d", port)
		switch scheme {
		case "h2":
			listen += " ssl http2"
		case "https":
			listen += " ssl"
		}
		if scheme != "http" {
			listen += fmt.Sprintf(";\nssl_certificate %s;\nssl_certificate_key %[1]s", certificate)
		}
		conf := filepath.Join(dir, "nginx.conf")
		must(0, os.WriteFile(conf, fmt.Appendf(nil,
			"daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\nserver {\nlisten %s;\n%s\nlocation / { return 200 x; }\n}\n}\n",
			listen, directives), 0o600))
		return []string{"-p", dir + "/", "-c", conf}
	})
}

// haproxy returns a site of a HAProxy in which this timeout is short.
func haproxy(scheme, timeout string, short time.Duration) func(testing.TB) site {
	return program("haproxy", scheme, func(dir string, port int, certificate string) []string {
		bind := fmt.Sprintf("127.0.0.1:%d", port)
		switch scheme {
		case "h2":
			bind += " alpn h2,http/1.1 ssl crt " + certificate
		case "https":
			bind += " ssl crt " + certificate
		}
		conf := filepath.Join(dir, "haproxy.cfg")
		must(0, os.WriteFile(conf, fmt.Appendf(nil,
			"global\n nbthread 1\ndefaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n timeout http-keep-alive 30s\n timeout http-request 30s\n timeout %s %dms\nfrontend f\n bind %s\n option http-buffer-request\n http-request return status 200 content-type text/plain string x\n",
			timeout, short.Milliseconds(), bind), 0o600))
		return []string{"-db", "-f", conf}
	})
}

// program runs a server on a free port until the test ends. configure writes what it
// needs, and returns its arguments.
func program(name, scheme string, configure func(dir string, port int, certificate string) []string) func(testing.TB) site {
	return func(t testing.TB) site {
		t.Helper()
		return startProgram(t, name, scheme, configure)
	}
}

func startProgram(t testing.TB, name, scheme string, configure func(dir string, port int, certificate string) []string) site {
	t.Helper()
	path := testkit.Tool(t, name)
	dir := t.TempDir()
	c := certificate()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(t, err)
	both := filepath.Join(dir, "certificate.pem")
	require.NoError(t, os.WriteFile(both, append(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), 0o600))
	port, err := freeport.Find()
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	cmd := exec.Command(path, configure(dir, port, both)...)
	output, err := os.Create(filepath.Join(dir, "output"))
	require.NoError(t, err)
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(output.Name())
			t.Logf("%s: %s", filepath.Base(cmd.Path), text)
		}
	})
	testkit.Until(t, "it listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	if scheme == "h2" {
		return site{url: "https://" + address, base: func() *http.Transport {
			base := trusting()
			base.ForceAttemptHTTP2 = true
			return base
		}}
	}
	return site{url: scheme + "://" + address, base: trusting}
}
