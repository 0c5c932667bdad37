package transport_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// An announcing server, and a connection to it that a test writes on itself.
type spoken struct {
	*httptest.Server
	conn net.Conn
	r    *bufio.Reader
}

func speak(t *testing.T, overTLS bool, handler http.Handler) *spoken {
	t.Helper()
	s := &spoken{Server: httptest.NewUnstartedServer(handler)}
	s.Config.ErrorLog = discard
	require.NoError(t, transport.Announce(s.Config, time.Minute))
	if overTLS {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	if overTLS {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) // the test's own server
	}
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	s.conn, s.r = conn, bufio.NewReader(conn)
	return s
}

// response reads a response to its end.
func (s *spoken) response(t *testing.T, method string) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(s.r, &http.Request{Method: method})
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	if resp.ContentLength < 0 || method != "SHORT" {
		assert.NoError(t, err)
	}
	return resp
}

// A handlerFunc of a row gets the server too.
type rowHandler func(s *http.Server, w http.ResponseWriter, r *http.Request)

func shutdown(s *http.Server) {
	done := make(chan struct{})
	s.RegisterOnShutdown(func() { close(done) })
	go s.Shutdown(neverDone)
	<-done
}

// On a response that closes there is no header, and where there is one the
// connection stays open: it takes a second request.
func TestAnnounceOfAServerThatCloses(t *testing.T) {
	t.Parallel()
	run, wait := together(t)
	defer wait()
	nothing := func(*http.Server, http.ResponseWriter, *http.Request) {}
	readAll := func(_ *http.Server, w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "x")
	}
	large := strings.Repeat("x", 300<<10)
	const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	post := func(more string) string { return "POST / HTTP/1.1\r\nHost: x\r\n" + more }
	chunk := func(body string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(body), body) }
	for rule, row := range map[string]struct {
		handler rowHandler
		request string
		open    bool // and announced
	}{
		"nothing special": {nothing, get, true},
		"Shutdown in flight": {func(s *http.Server, w http.ResponseWriter, _ *http.Request) {
			shutdown(s)
			io.WriteString(w, "x")
		}, get, false},
		"Shutdown after the first bytes": {func(s *http.Server, w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "x")
			w.Header().Set("Too", "late")
			shutdown(s)
			io.WriteString(w, "x")
		}, get, false},
		"Shutdown after the status": {func(s *http.Server, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			shutdown(s)
		}, get, false},
		"SetKeepAlivesEnabled(false)": {func(s *http.Server, w http.ResponseWriter, _ *http.Request) {
			s.SetKeepAlivesEnabled(false)
		}, get, false},
		"SetKeepAlivesEnabled(false) and true": {func(s *http.Server, w http.ResponseWriter, _ *http.Request) {
			s.SetKeepAlivesEnabled(false)
			s.SetKeepAlivesEnabled(true)
		}, get, true},
		"HTTP/1.0":                      {nothing, "GET / HTTP/1.0\r\n\r\n", false},
		"the client's close":            {nothing, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
		"the client's close, in a list": {nothing, "GET / HTTP/1.1\r\nHost: x\r\nConnection: te, Close\r\n\r\n", false},
		"the handler's close": {func(_ *http.Server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
		}, get, false},
		"identity": {func(_ *http.Server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Transfer-Encoding", "identity")
			io.WriteString(w, "x")
		}, get, false},
		"less than the Content-Length": {func(_ *http.Server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "x")
		}, "SHORT / HTTP/1.1\r\nHost: x\r\n\r\n", false},
		"more than the Content-Length": {func(_ *http.Server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1")
			_, err := io.WriteString(w, "xx")
			assert.ErrorIs(t, err, http.ErrContentLength)
			io.WriteString(w, "x")
		}, "SHORT / HTTP/1.1\r\nHost: x\r\n\r\n", false},
		"as the Content-Length": {func(_ *http.Server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1")
			io.WriteString(w, "x")
		}, get, true},
		"HEAD": {func(_ *http.Server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
		}, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", true},
		"304 with a Content-Length": {func(_ *http.Server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(http.StatusNotModified)
			_, err := io.WriteString(w, "x")
			assert.ErrorIs(t, err, http.ErrBodyNotAllowed)
		}, get, true},
		"a body that is read":             {readAll, post("Content-Length: 4\r\n\r\nbody"), true},
		"a chunked body that is read":     {readAll, post("Transfer-Encoding: chunked\r\n\r\n" + chunk("body") + "0\r\n\r\n"), true},
		"a body that is not read":         {nothing, post("Content-Length: 4\r\n\r\nbody"), true},
		"a chunked body that is not read": {nothing, post("Transfer-Encoding: chunked\r\n\r\n" + chunk("body") + "0\r\n\r\n"), true},
		"a chunked body that is read in part": {func(_ *http.Server, w http.ResponseWriter, r *http.Request) {
			var v any
			assert.NoError(t, json.NewDecoder(r.Body).Decode(&v))
			json.NewEncoder(w).Encode(v)
		}, post("Transfer-Encoding: chunked\r\n\r\n" + chunk(`{"a":1}`) + "0\r\n\r\n"), true},
		"413 with the body unread": {func(_ *http.Server, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}, post("Content-Length: 1000000\r\n\r\nsome"), false},
		"a large body that is not read":         {nothing, post("Content-Length: 1000000\r\n\r\nsome"), false},
		"a large chunked body that is not read": {nothing, post("Transfer-Encoding: chunked\r\n\r\n" + chunk(large) + "0\r\n\r\n"), false},
		"MaxBytesReader": {func(_ *http.Server, w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 10))
			assert.ErrorContains(t, err, "too large")
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		}, post("Content-Length: 20\r\n\r\n01234567890123456789"), false},
		"a large body that is closed": {func(_ *http.Server, w http.ResponseWriter, r *http.Request) {
			r.Body.Close()
		}, post("Content-Length: 1000000\r\n\r\nsome"), false},
		"a small body that is closed": {func(_ *http.Server, w http.ResponseWriter, r *http.Request) {
			r.Body.Close()
		}, post("Content-Length: 4\r\n\r\nbody"), true},
		"an unwanted Expect: 100-continue": {nothing, post("Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody"), false},
		"a flush before the body is read": {func(_ *http.Server, w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).Flush()
		}, post("Content-Length: 1000000\r\n\r\nsome"), false},
		"a large response": {func(_ *http.Server, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, large) }, get, true},
	} {
		for _, overTLS := range []bool{false, true} {
			run(fmt.Sprintf("%s, TLS %t", rule, overTLS), func(t *testing.T) {
				var s *spoken
				s = speak(t, overTLS, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/" {
						row.handler(s.Config, w, r)
					}
				}))
				_, err := io.WriteString(s.conn, row.request)
				require.NoError(t, err)
				method, _, _ := strings.Cut(row.request, " ")
				resp := s.response(t, method)
				assert.Empty(t, resp.Header.Get("Too"), "a header set after the status")
				if !row.open {
					assert.Empty(t, resp.Header["Keep-Alive"])
					_, err = io.Copy(io.Discard, s.r) // until it is closed, or reset
					assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
					return
				}
				assert.Equal(t, "timeout=60", resp.Header.Get("Keep-Alive"))
				_, err = io.WriteString(s.conn, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n")
				require.NoError(t, err)
				assert.Equal(t, "timeout=60", s.response(t, http.MethodGet).Header.Get("Keep-Alive"))
			})
		}
	}
}

// Handlers see the same as in net/http without the header.
func TestAnnounceChangesNothingElse(t *testing.T) {
	t.Parallel()
	parent := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/trailer":
			w.Header().Set("Trailer", "X-Sum")
			io.WriteString(w, "body")
			w.Header().Set("X-Sum", "42")
			w.Header().Set("X-Late", "1")
		case "/twice":
			w.WriteHeader(http.StatusTeapot)
			w.WriteHeader(http.StatusOK)
			io.WriteString(w, "<p>")
		case "/pieces":
			for range 300 {
				io.WriteString(w, "0123456789")
			}
		case "/copy":
			io.Copy(w, r.Body)
		case "/form":
			assert.NoError(t, r.ParseMultipartForm(1))
		}
	})
	bare := httptest.NewServer(parent)
	defer bare.Close()
	announced := httptest.NewUnstartedServer(parent)
	bare.Config.ErrorLog, announced.Config.ErrorLog = discard, discard
	require.NoError(t, transport.Announce(announced.Config, time.Minute))
	announced.Start()
	defer announced.Close()
	proxy := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(must(url.Parse(bare.URL))))
	require.NoError(t, transport.Announce(proxy.Config, time.Minute))
	proxy.Start()
	defer proxy.Close()
	for _, path := range []string{"/trailer", "/twice", "/pieces", "/copy", "/none"} {
		var want *http.Response
		var wantBody string
		for _, server := range []*httptest.Server{bare, announced, proxy} {
			resp, err := server.Client().Post(server.URL+path, "", io.MultiReader(strings.NewReader("body")))
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			resp.Header.Del("Date")
			if want == nil {
				want, wantBody = resp, string(body)
				continue
			}
			assert.Equal(t, "timeout=60", resp.Header.Get("Keep-Alive"), path)
			resp.Header.Del("Keep-Alive")
			assert.Equal(t, want.StatusCode, resp.StatusCode, path)
			assert.Equal(t, want.Header, resp.Header, path)
			assert.Equal(t, want.Trailer, resp.Trailer, path)
			assert.Equal(t, wantBody, string(body), path)
			if server == announced {
				assert.Equal(t, want.ContentLength, resp.ContentLength, path)
			}
		}
	}
}

// Files of a form are removed by net/http, from the request that it has.
func TestAnnounceKeepsTheForm(t *testing.T) {
	t.Parallel()
	var name string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if assert.NoError(t, r.ParseMultipartForm(1)) {
			file, err := r.MultipartForm.File["f"][0].Open()
			if assert.NoError(t, err) {
				name = file.(*os.File).Name()
				file.Close()
			}
		}
	}))
	require.NoError(t, transport.Announce(s.Config, time.Minute))
	s.Start()
	body := "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + strings.Repeat("x", 11<<20) + "\r\n--b--\r\n"
	resp, err := s.Client().Post(s.URL, "multipart/form-data; boundary=b", strings.NewReader(body))
	require.NoError(t, err)
	resp.Body.Close()
	s.Close() // waits for the end of the request
	require.NotEmpty(t, name)
	assert.NoFileExists(t, name)
}
