package transport_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testenv"
	"github.com/tcpkeepalive/keepalive/transport"
)

// A tally is what became of POSTs.
type tally struct {
	sent, lost, first int
	judged            int // sent after the first close
	protocol          int // major version of HTTP
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
				if (i+round)%2 == 0 {
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
				if before {
					sum.judged++
				}
				if err == nil {
					sum.protocol = resp.ProtoMajor
				}
				if lost {
					sum.why[why]++
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
		if round == rounds-1 {
			break
		}
		pause := r.pauses[round%len(r.pauses)] + time.Duration(round*5%9-6)*time.Millisecond
		if round == 1 {
			pause += short / 8 // whatever luck there is, a close is seen
		}
		next := time.After(pause)
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
	needs  string // a program that the site is made of
	reach  func(testing.TB) site
	apart  bool // net/http has a site of its own
	under  bool // httputil.ReverseProxy
	http2  bool
	header bool            // the server announces its timeout, so that none may be lost at all
	pauses []time.Duration // between the rounds, in turn
}

type outcome struct {
	ours, bare tally
	restarts   bool // what it closed for that reason may be taken for a timeout, and then it closes nothing else
}

// problem returns what is wrong with it, "" if nothing is.
func (o *outcome) problem() string {
	switch {
	case o.ours.lost > 0:
		return fmt.Sprintf("%d POSTs were lost after the first close", o.ours.lost)
	case o.ours.judged == 0 && (o.ours.first > 0 || !o.restarts):
		return "no POST was sent after the first close, so this shows nothing"
	}
	return ""
}

// run starts the race.
func (r race) run(t testing.TB, wg *sync.WaitGroup, rounds int) *outcome {
	t.Helper()
	s := r.reach(t)
	ours := newTransport(t, transport.Options{Base: s.base()})
	seen := func() bool {
		stats := ours.Stats()
		return r.header || stats.PeerClosed+stats.LostRaces > 0 && (s.closed == nil || s.closed())
	}
	other := s
	if r.apart {
		other = r.reach(t)
	}
	bare := other.base()
	t.Cleanup(bare.CloseIdleConnections)
	o := &outcome{restarts: s.between != nil}
	post := func(into *tally, rt http.RoundTripper, s site, seen func() bool) {
		url := s.url
		if r.under {
			rt, url = underReverseProxy(t, rt, url)
		}
		wg.Go(func() { *into = post(t, rt, url, 4, rounds, r, s.between, seen) })
	}
	post(&o.ours, ours, s, seen)
	post(&o.bare, bare, other, func() bool { return false })
	return o
}

// runRaces runs all at the same time, as they mostly wait, and tells how long a
// goroutine had to wait for its turn meanwhile.
func runRaces(t testing.TB, rounds int, races []race) ([]*outcome, time.Duration) {
	t.Helper()
	outcomes := make([]*outcome, len(races))
	longest := stalls(t)
	var wg sync.WaitGroup
	for i, r := range races {
		if _, err := exec.LookPath(r.needs); err != nil && r.needs != "" {
			continue // which is said below
		}
		outcomes[i] = r.run(t, &wg, rounds)
		time.Sleep(short / 100) // not all at once, which is work for many
	}
	wg.Wait()
	stalled := longest()
	t.Logf("goroutines waited for up to %s", stalled)
	return outcomes, stalled
}

const short = 800 * time.Millisecond // an idle timeout

// disturbing is how long a goroutine has to wait at a time until what was lost may have
// been lost for that: half of the time that a Transport has to see a response.
const disturbing = short / 4

// attempts are how often races are run until what was lost is judged: when nothing
// disturbed them.
const attempts = 4

// TestNoPOSTIsLost sends POSTs just as idle connections are closed, whatever the
// way to the server, and whatever servers there are. It rests on a Transport that
// sees a response within 400 ms of its being sent: half of the timeouts. On a machine
// that did not run a goroutine for half of that, races in which one was lost are run
// again. What nobody saw undisturbed was not shown.
func TestNoPOSTIsLost(t *testing.T) {
	t.Parallel()
	races := slices.Concat(racesWithGo(), racesWithPrograms(), racesWithBackends())
	rounds := 5
	if testenv.LongTestsRun() {
		rounds = 20
	}
	all := make([]*outcome, len(races))
	again := make([]int, len(races)) // their indexes
	for i := range again {
		again[i] = i
	}
	for attempt := 1; len(again) > 0; attempt++ {
		these := make([]race, len(again))
		for i, at := range again {
			these[i] = races[at]
		}
		outcomes, stalled := runRaces(t, rounds, these)
		var disturbed []int
		for i, at := range again {
			all[at] = outcomes[i]
			if o := outcomes[i]; o != nil && o.problem() != "" && stalled > disturbing {
				disturbed = append(disturbed, at)
			}
		}
		if again = disturbed; len(again) > 0 && attempt == attempts {
			t.Errorf("in each of %d attempts a goroutine had to wait for more than %s: the machine is too busy to tell what POSTs were lost for", attempts, disturbing)
			break
		}
	}
	ours, bare := 0, 0
	for i, r := range races {
		t.Run(r.name, func(t *testing.T) {
			if r.needs != "" {
				testenv.Tool(t, r.needs)
			}
			a, b := all[i].ours, all[i].bare
			t.Logf("of %d POSTs %d were lost, and %d at the first close; of net/http's %d", a.sent, a.lost, a.first, b.first)
			t.Logf("%v; net/http: %v", a.why, b.why)
			if r.http2 {
				assert.Equal(t, 2, a.protocol)
			}
			assert.Empty(t, all[i].problem())
			ours, bare = ours+a.first, bare+b.first
		})
	}
	t.Logf("in all %d were lost at first closes; of net/http's %d", ours, bare)
	assert.LessOrEqual(t, ours, bare)
	assert.Positive(t, bare, "POSTs are in danger at these times")
}

var (
	atShort  = []time.Duration{short}
	atSecond = []time.Duration{time.Second}
)

func racesWithGo() []race {
	announce := func(s *http.Server) {
		if err := transport.Announce(s, time.Second); err != nil {
			panic(err)
		}
	}
	plain := origin{change: idleTimeout(short)}.site
	secure := origin{tls: true, change: idleTimeout(short)}.site
	endless := origin{}.site
	multiplexed := origin{http2: true, change: idleTimeout(short)}.site
	return []race{
		{name: "Go", reach: plain, pauses: atShort},
		{name: "Go, TLS", reach: secure, pauses: atShort},
		{name: "Go, TLS, header", reach: origin{tls: true, change: announce}.site, header: true, pauses: atSecond},
		{name: "Go, HTTP proxy", reach: through(endless, "http", short), pauses: atShort},
		{name: "Go, HTTPS proxy", reach: through(endless, "https", short), pauses: atShort},
		{name: "Go, TLS, HTTP proxy", reach: through(secure, "http", 0), pauses: atShort},
		{name: "Go, TLS, HTTPS proxy", reach: through(secure, "https", 0), pauses: atShort},
		{name: "Go, TLS, under ReverseProxy", reach: secure, under: true, pauses: atShort},
		{name: "Go, HTTP/2", reach: multiplexed, http2: true, pauses: atShort},
		{name: "Go, HTTP/2, HTTP proxy", reach: through(multiplexed, "http", 0), http2: true, pauses: atShort},
		{name: "Go, HTTP/2, HTTPS proxy", reach: through(multiplexed, "https", 0), http2: true, pauses: atShort},
		{name: "Go, HTTP/2, under ReverseProxy", reach: multiplexed, under: true, pauses: atShort},
		{name: "408", reach: saying408(short), pauses: atShort},
	}
}

func racesWithPrograms() (races []race) {
	for _, program := range []struct {
		name  string
		reach func(scheme string) func(testing.TB) site
	}{
		{"nginx", func(scheme string) func(testing.TB) site { return nginx(scheme, "keepalive_timeout 800ms;") }},
		{"haproxy", func(scheme string) func(testing.TB) site { return haproxy(scheme, short) }},
	} {
		plain, secure, multiplexed := one(program.reach("http")), one(program.reach("https")), one(program.reach("h2"))
		for _, row := range []struct {
			name  string
			reach func(testing.TB) site
			under bool
		}{
			{"plain", plain, false},
			{"TLS", secure, false},
			{"TLS, HTTP proxy", through(secure, "http", 0), false},
			{"TLS, HTTPS proxy", through(secure, "https", 0), false},
			{"TLS, under ReverseProxy", secure, true},
			{"HTTP/2", multiplexed, false},
			{"HTTP/2, HTTPS proxy", through(multiplexed, "https", 0), false},
		} {
			races = append(races, race{
				name: program.name + ", " + row.name, needs: program.name, reach: row.reach, under: row.under,
				http2: strings.HasPrefix(row.name, "HTTP/2"), pauses: atShort,
			})
		}
	}
	return append(races, race{
		name: "nginx, TLS, header", needs: "nginx", reach: nginx("https", "keepalive_timeout 1s 1s;"), header: true, pauses: atSecond,
	})
}

// one is a site that is made once.
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
