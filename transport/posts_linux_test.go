package transport_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/transport"
)

const short = 800 * time.Millisecond // an idle timeout

// disturbing is how long a goroutine has to wait at a time until what was lost may have
// been lost for that. It is a small part of the time that a Transport has to see a response,
// because several goroutines pass it on, and other programs, whose waiting nobody sees.
const disturbing = short / 40

// attempts are how often races are run until what was lost is judged: when nothing
// disturbed them.
const attempts = 6

// TestNoPOSTIsLost sends POSTs just as idle connections are closed, whatever the
// way to the server, and whatever servers there are. It rests on a Transport that
// sees a response within 400 ms of its being sent: half of the timeouts. On a machine
// that did not run a goroutine for half of that, races in which one was lost are run
// again. If no race ran undisturbed, nothing was shown.
func TestNoPOSTIsLost(t *testing.T) {
	t.Parallel()
	races := slices.Concat(racesWithGo(), racesWithPrograms(), racesWithBackends())
	rounds := 5
	if testkit.LongTestsRun() {
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
				testkit.Tool(t, r.needs)
			}
			a, b := all[i].ours, all[i].bare
			t.Logf("of %d POSTs %d were lost, and %d at the first close; of net/http's %d", a.sent, a.lost, a.first, b.lost)
			t.Logf("%v; net/http: %v", a.why, b.why)
			if r.http2 {
				assert.Equal(t, 2, a.protocol)
			}
			assert.Empty(t, all[i].problem())
			ours, bare = ours+a.first, bare+b.lost
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
		{name: "Go, doubted", reach: plain, doubts: true, pauses: atShort},
		{name: "Go, HTTP proxy, doubted", reach: through(endless, "http", short), doubts: true, pauses: atShort},
		{name: "Go, TLS, HTTPS proxy, doubted", reach: through(secure, "https", 0), doubts: true, pauses: atShort},
		{name: "Go, HTTP/2, doubted", reach: multiplexed, http2: true, doubts: true, pauses: atShort},
		{name: "Go, HTTP/2, HTTPS proxy, doubted", reach: through(multiplexed, "https", 0), http2: true, doubts: true, pauses: atShort},
		{name: "408, doubted", reach: saying408(short), doubts: true, pauses: atShort},
	}
}

func racesWithPrograms() (races []race) {
	for _, program := range []struct {
		name  string
		reach func(scheme string) func(testing.TB) site
	}{
		{"nginx", func(scheme string) func(testing.TB) site { return nginx(scheme, "keepalive_timeout 800ms;") }},
		{"haproxy", func(scheme string) func(testing.TB) site { return haproxy(scheme, "http-keep-alive", short) }},
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
