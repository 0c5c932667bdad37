package transport_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// A tally counts the results of POSTs.
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
		if round >= 1 && !before {
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

// A race sends POSTs to a site, with a Transport and with one of net/http at the same time.
type race struct {
	name   string
	needs  string // a program that the site is made of
	reach  func(testing.TB) site
	apart  bool // net/http has a site of its own
	under  bool // httputil.ReverseProxy
	http2  bool
	doubts bool            // what a close has shown is tested all the time
	header bool            // the server announces its timeout, so that none may be lost at all
	pauses []time.Duration // between the rounds, in turn
}

type outcome struct {
	ours, bare tally
	restarts   bool // what it closed for that reason may be taken for a timeout, and then it closes nothing else
}

// problem returns a description of what is wrong with the result, "" if nothing is.
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
	if r.doubts {
		transport.DoubtAfter(ours, 1)
	}
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
	post(&o.bare, bare, other, func() bool { return true })
	return o
}

// runRaces runs all races at the same time, as they mostly wait, and returns how long a
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
