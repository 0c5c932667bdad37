package conffile

import (
	"fmt"
	"time"

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

func tooFewMilliseconds(n int64, text string) string {
	return fmt.Sprintf("%s: a number without a unit is in milliseconds here, so one lost packet can end the connection: if seconds were meant, write %d", text, n*1000)
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
func decimal(ms int64) string { return fmt.Sprint((ms + 999) / 1000) }
