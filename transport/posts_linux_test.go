package transport_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// A tally is what became of POSTs.
type tally struct {
	sent, lost, first int
	again             int // of the lost ones had a body that can be sent again
	why               map[string]int
}

// post sends POSTs that may not be sent twice, several at once in each round, just
// as the connections of the round before are closed. first counts those that were
// lost before any close was seen.
func post(t testing.TB, rt http.RoundTripper, url string, clients, rounds int, r race, between func(), seen func() bool) (sum tally) {
	var mu sync.Mutex
	sum.why = map[string]int{}
	for round := range rounds {
		var wg sync.WaitGroup
		before := seen()
		for i := range clients {
			wg.Go(func() {
				var body io.Reader = strings.NewReader("body")
				again := (i+round)%2 != 0
				if !again {
					body = io.NopCloser(body)
				}
				req, err := http.NewRequest(http.MethodPost, url, body)
				if !assert.NoError(t, err) {
					return
				}
				resp, err := rt.RoundTrip(req)
				why := fmt.Sprint(err)
				lost := err != nil || resp.StatusCode != http.StatusOK
				if err == nil {
					body, _ := io.ReadAll(resp.Body)
					resp.Body.Close()
					why = fmt.Sprintf("%s: %s", resp.Status, body)
				}
				mu.Lock()
				defer mu.Unlock()
				sum.sent++
				if lost {
					sum.why[why]++
				}
				if lost && again {
					sum.again++
				}
				if lost && before {
					sum.lost++
				} else if lost {
					sum.first++
				}
			})
		}
		wg.Wait()
		// The server's timers began when it had answered, some ms ago.
		next := time.After(r.pauses[round%len(r.pauses)] + time.Duration(round*5%9-6)*time.Millisecond)
		if between != nil {
			between()
		}
		<-next
	}
	return sum
}

// underReverseProxy is rt as a reverse proxy's transport: what it cannot forward
// comes back as 502.
func underReverseProxy(t testing.TB, rt http.RoundTripper, to string) (http.RoundTripper, string) {
	t.Helper()
	at, err := url.Parse(to)
	require.NoError(t, err)
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(at) },
		Transport: rt,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, err.Error())
		},
	})
	t.Cleanup(front.Close)
	return &http.Transport{DisableKeepAlives: true}, front.URL
}

// A race is POSTs to a site, with a Transport and with net/http's in the same time.
type race struct {
	name   string
	site   site
	under  bool            // httputil.ReverseProxy
	http2  bool            // net/http alone decides
	pauses []time.Duration // between the rounds, in turn
	// bare is net/http's own site, if it is not the same.
	bare site
}

// runRaces runs all at the same time: they mostly wait.
func runRaces(t *testing.T, rounds int, races []race) {
	var wg sync.WaitGroup
	longest := stalls(t)
	type outcome struct {
		ours, bare tally
	}
	outcomes := make([]outcome, len(races))
	for i, r := range races {
		ours := newTransport(t, transport.Options{Base: r.site.base()})
		if r.bare.base == nil {
			r.bare = r.site
		}
		bare := r.bare.base()
		t.Cleanup(bare.CloseIdleConnections)
		seen := func() bool {
			s := ours.Stats()
			return s.PeerClosed+s.LostRaces > 0 && (r.site.closed == nil || r.site.closed())
		}
		post := func(into *tally, rt http.RoundTripper, s site, seen func() bool) {
			url := s.url
			if r.under {
				rt, url = underReverseProxy(t, rt, url)
			}
			wg.Go(func() { *into = post(t, rt, url, 4, rounds, r, s.between, seen) })
		}
		post(&outcomes[i].ours, ours, r.site, seen)
		post(&outcomes[i].bare, bare, r.bare, func() bool { return false })
	}
	wg.Wait()
	stalled := longest()
	t.Logf("goroutines waited for up to %s", stalled)
	ours, bare := 0, 0
	oursAgain, bareAgain := 0, 0
	for i, r := range races {
		t.Run(r.name, func(t *testing.T) {
			a, b := outcomes[i].ours, outcomes[i].bare
			t.Logf("of %d POSTs %d were lost, and %d at the first close; of net/http's %d", a.sent, a.lost, a.first, b.first)
			t.Logf("of those with a body that can be sent again %d; of net/http's %d", a.again, b.again)
			t.Logf("%v; net/http: %v", a.why, b.why)
			if r.http2 {
				// Whether one is on its way when the connection ends is chance. net/http sends
				// those again that it can; of the others it says that it cannot, in one of two ways.
				oursAgain, bareAgain = oursAgain+a.again, bareAgain+b.again
				for why := range a.why {
					assert.Regexp(t, "define Request.GetBody|cannot rewind body", why)
				}
				return
			}
			if a.lost > 0 && stalled > short/4 {
				t.Skipf("%d POSTs were lost, but a goroutine had to wait for %s: the machine is too busy to see responses and closes in time, so this shows nothing", a.lost, stalled)
			}
			assert.Zero(t, a.lost, "after the first close")
			ours, bare = ours+a.first, bare+b.first
		})
	}
	t.Logf("in all %d were lost at first closes; of net/http's %d", ours, bare)
	assert.LessOrEqual(t, ours, bare)
	assert.LessOrEqual(t, oursAgain, bareAgain, "HTTP/2, with bodies that can be sent again")
	assert.Positive(t, bare, "POSTs are in danger at these times")
}

const short = 800 * time.Millisecond // an idle timeout

// TestNoPOSTIsLost sends POSTs just as idle connections are closed, whatever the
// way to the server. It rests on a Transport that sees a response within 400 ms of
// its being sent: half of the timeouts. On a machine that does not run goroutines for
// half of that, a row in which one was lost is skipped.
func TestNoPOSTIsLost(t *testing.T) {
	t.Parallel()
	announce := func(s *http.Server) { require.NoError(t, transport.Announce(s, time.Second)) }
	plain := origin{change: idleTimeout(short)}
	secure := origin{tls: true, change: idleTimeout(short)}
	multiplexed := origin{http2: true, change: idleTimeout(short)}
	at := []time.Duration{short}
	second := []time.Duration{time.Second}
	runRaces(t, 6, []race{
		{name: "Go", site: plain.site(t), pauses: at},
		{name: "Go, TLS", site: secure.site(t), pauses: at},
		{name: "Go, TLS, header", site: origin{tls: true, change: announce}.site(t), pauses: second},
		{name: "Go, HTTP proxy", site: origin{}.site(t).through(t, "http", short), pauses: at},
		{name: "Go, HTTPS proxy", site: origin{}.site(t).through(t, "https", short), pauses: at},
		{name: "Go, TLS, HTTP proxy", site: secure.site(t).through(t, "http", 0), pauses: at},
		{name: "Go, TLS, HTTPS proxy", site: secure.site(t).through(t, "https", 0), pauses: at},
		{name: "Go, TLS, under ReverseProxy", site: secure.site(t), under: true, pauses: at},
		{name: "Go, HTTP/2", site: multiplexed.site(t), http2: true, pauses: at},
		{name: "Go, HTTP/2, HTTP proxy", site: multiplexed.site(t).through(t, "http", 0), http2: true, pauses: at},
		{name: "Go, HTTP/2, HTTPS proxy", site: multiplexed.site(t).through(t, "https", 0), http2: true, pauses: at},
		{name: "408", site: saying408(t, short), pauses: at},
	})
}

// TestNoPOSTIsLostByNginx does it with nginx.
func TestNoPOSTIsLostByNginx(t *testing.T) {
	t.Parallel()
	at := []time.Duration{short}
	runRaces(t, 6, []race{
		{name: "plain", site: nginx(t, "http", "keepalive_timeout 800ms;"), pauses: at},
		{name: "TLS", site: nginx(t, "https", "keepalive_timeout 800ms;"), pauses: at},
		{name: "TLS, header", site: nginx(t, "https", "keepalive_timeout 1s 1s;"), pauses: []time.Duration{time.Second}},
		{name: "TLS, HTTP proxy", site: nginx(t, "https", "keepalive_timeout 800ms;").through(t, "http", 0), pauses: at},
		{name: "TLS, HTTPS proxy", site: nginx(t, "https", "keepalive_timeout 800ms;").through(t, "https", 0), pauses: at},
		{name: "TLS, under ReverseProxy", site: nginx(t, "https", "keepalive_timeout 800ms;"), under: true, pauses: at},
	})
}

// TestNoPOSTIsLostByHAProxy does it with HAProxy.
func TestNoPOSTIsLostByHAProxy(t *testing.T) {
	t.Parallel()
	at := []time.Duration{short}
	runRaces(t, 6, []race{
		{name: "plain", site: haproxy(t, "http", short), pauses: at},
		{name: "TLS", site: haproxy(t, "https", short), pauses: at},
		{name: "TLS, HTTP proxy", site: haproxy(t, "https", short).through(t, "http", 0), pauses: at},
		{name: "TLS, HTTPS proxy", site: haproxy(t, "https", short).through(t, "https", 0), pauses: at},
		{name: "TLS, under ReverseProxy", site: haproxy(t, "https", short), under: true, pauses: at},
	})
}
