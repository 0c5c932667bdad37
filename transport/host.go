package transport

import (
	"math/bits"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A host is what is known about how long a server keeps idle connections.
type host struct {
	t    *Transport
	key  hostKey
	pool atomic.Pointer[http.Transport]

	header  atomic.Int64 // what the last Keep-Alive header said, in ns, plus 1; 0: there was none
	missing atomic.Int32 // responses without header since
	until   atomic.Int64 // when observed closes are forgotten, see now; 0: there are none

	mu       sync.Mutex
	seen     sighting      // the last close of an idle connection
	observed time.Duration // the timeout that closes agree on
}

// A sighting is a connection that the server closed while it was idle.
type sighting struct {
	at   time.Time
	idle time.Duration
}

const (
	// Responses without a Keep-Alive header after which an earlier one does not
	// count any more: the server is another one by now.
	forgetAfter = 3
	// How long observed closes count. A connection that is dropped earlier cannot
	// tell whether the server would still close it then.
	observedFor = 10 * time.Minute
)

func (h *host) name() string { return h.key.scheme + "://" + h.key.host }

// learnFrom reads the Keep-Alive header of a response.
func (h *host) learnFrom(resp *http.Response) {
	if resp.Close {
		return
	}
	timeout, ok := headerTimeout(resp.Header)
	if !ok {
		if h.header.Load() != 0 && h.missing.Add(1) >= forgetAfter {
			h.header.Store(0)
			h.choosePool()
		} else if until := h.until.Load(); until != 0 && until < now() {
			h.choosePool()
		}
		return
	}
	if h.missing.Load() != 0 {
		h.missing.Store(0)
	}
	if before := h.header.Swap(int64(timeout) + 1); before != int64(timeout)+1 {
		h.choosePool()
		h.t.events.learned(h, timeout, "Keep-Alive header")
	}
}

// headerTimeout returns N of Keep-Alive: timeout=N. Anything but a whole number of
// seconds is as if it were not there; a number too large for a Duration is the
// largest.
func headerTimeout(header http.Header) (time.Duration, bool) {
	for _, line := range header["Keep-Alive"] {
		for len(line) > 0 {
			var parameter string
			parameter, line, _ = strings.Cut(line, ",")
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			if !strings.EqualFold(strings.TrimSpace(name), "timeout") {
				continue
			}
			n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			switch {
			case isRange(err), err == nil && n > uint64(maxTimeout/time.Second):
				return maxTimeout, true
			case err == nil:
				return time.Duration(n) * time.Second, true
			}
		}
	}
	return 0, false
}

const maxTimeout = 100 * 365 * 24 * time.Hour

func isRange(err error) bool {
	n, ok := err.(*strconv.NumError)
	return ok && n.Err == strconv.ErrRange
}

// peerClosed notes that the server closed a connection that was idle for so long.
// Two closes that agree are its timeout, unless they came at the same time: that
// is a server that restarts.
func (h *host) peerClosed(idle time.Duration) {
	h.mu.Lock()
	last := h.seen
	h.seen = sighting{time.Now(), idle}
	learned := agree(last.idle, idle) && h.seen.at.Sub(last.at) >= idle/2
	if learned {
		h.observed = min(last.idle, idle)
		h.until.Store(now() + int64(observedFor))
	}
	h.mu.Unlock()
	if learned && h.header.Load() == 0 {
		h.choosePool()
		h.t.events.learned(h, idle, "observed closes")
	}
}

// agree tells whether two idle times are of one timeout: they differ by a tenth or
// 50 ms at most.
func agree(a, b time.Duration) bool {
	if a == 0 || b == 0 {
		return false
	}
	return max(a, b)-min(a, b) <= max(min(a, b)/10, 50*time.Millisecond)
}

// choosePool takes the pool for what is known now.
func (h *host) choosePool() {
	if header := h.header.Load(); header != 0 {
		h.pool.Store(h.t.pool(h.t.before(time.Duration(header - 1))))
		return
	}
	if until := h.until.Load(); until == 0 || until < now() {
		h.until.Store(0)
		h.pool.Store(h.t.base)
		return
	}
	h.mu.Lock()
	observed := h.observed
	h.mu.Unlock()
	h.pool.Store(h.t.pool(h.t.before(observed)))
}

// before returns how long a connection may be idle that the server closes after
// timeout.
func (t *Transport) before(timeout time.Duration) time.Duration {
	return max(timeout-t.margin, timeout/2, 1)
}

// coarse keeps the four highest bits, so that there are at most eight pools for
// times that differ by a factor of two.
func coarse(d time.Duration) time.Duration {
	shift := max(bits.Len64(uint64(d))-4, 0)
	return d >> shift << shift
}
