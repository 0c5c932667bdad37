package conffile

import (
	"fmt"
	"math"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A number in milliseconds where the program takes seconds, or the reverse, is the mistake
// that breaks most connections. The limits are such that hardly anybody means the number as
// it stands. 3000 seconds may be meant, so they are not reported, and the kernel's own 7200
// are not a multiple of 1000.
const (
	longIdle     = 5000 // s, and a multiple of 1000: 5 s to 32 s in milliseconds
	longInterval = 1000 // s, and a multiple of 500
	shortTimeout = 1000 // ms: one lost segment alone takes the kernel 200 ms to send again
)

// wrongUnit says that a number without a unit is probably in another unit than the
// program's, "" if it is not.
func wrongUnit(o platform.Option, n int64, text string) string {
	switch {
	case o == platform.Idle && n >= longIdle && n%1000 == 0,
		o == platform.Interval && n >= longInterval && n%500 == 0:
		return tooManySeconds(n, text)
	case o == platform.UserTimeout && n > 0 && n < shortTimeout:
		return tooFewMilliseconds(n, text)
	}
	return ""
}

func tooManySeconds(n int64, text string) string {
	return fmt.Sprintf("%s: a number without a unit is in seconds here, so this is %s: if milliseconds were meant, write %s", text, long(n), decimal(n))
}

// tooFewMilliseconds ends where userTimeoutFor goes on.
func tooFewMilliseconds(n int64, text string) string {
	return fmt.Sprintf("%s: a number without a unit is in milliseconds here, so one lost packet can end the connection: if seconds were meant, ", text)
}

// times are those of keepalive that are set; 0 if they are inherited.
type times struct {
	idle, interval time.Duration
	count          int64
}

// cutBy reports whether a user timeout ends a connection before the count does.
func (t times) cutBy(timeout time.Duration) bool {
	switch {
	case t.idle <= 0:
		return false
	case t.interval <= 0:
		return timeout <= t.idle
	case t.count <= 0:
		return timeout <= t.idle+t.interval
	}
	return timing.ProbesUntil(timeout, t.idle, t.interval) < t.count
}

// userTimeoutFor says what to write in milliseconds where a user timeout of n probably is in
// seconds. If that cuts the count, it is the time that the probes take, as in
// [sockopt.Config.MatchUserTimeout]; what is inherited has Linux's own value there.
func (t times) userTimeoutFor(n int64) string {
	if !t.cutBy(time.Duration(n) * time.Second) {
		return fmt.Sprintf("write %d", n*1000)
	}
	text := fmt.Sprintf("that is %d, which would be too short for idle %s", n*1000, duration.Seconds(t.idle))
	interval, count := t.interval, t.count
	if interval > 0 {
		text += ", interval " + duration.Seconds(interval)
	} else {
		interval = linuxDefaults.Interval
	}
	if count > 0 {
		text += fmt.Sprintf(", count %d", count)
	} else {
		count = int64(linuxDefaults.Count)
	}
	long := min(timing.AddMul(t.idle, count, interval), math.MaxInt32*time.Millisecond)
	return fmt.Sprintf("%s: write %d", text, long.Milliseconds())
}

// long writes a number of seconds for people.
func long(n int64) string {
	if n > int64(1<<62/time.Second) {
		return fmt.Sprintf("%d s", n)
	}
	d := time.Duration(n) * time.Second
	if d > 48*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.String()
}

// decimal writes milliseconds as seconds, rounded up, because seconds are whole.
func decimal(ms int64) string { return fmt.Sprint(secondsMeant(ms)) }

func secondsMeant(ms int64) int64 { return (ms + 999) / 1000 }
