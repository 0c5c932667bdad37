package align_test

import (
	"math/rand/v2"
	"time"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A simulation of one silent connection: tcp_keepalive_timer (net/ipv4/tcp_timer.c)
// on the timer wheel (kernel/time/timer.c), and a middlebox that forgets. It
// shares no code with what it tests.
type simulation struct {
	cfg     sockopt.Config
	hz      int64
	timeout time.Duration // of the middlebox
	rtt     time.Duration
	near    float64 // where the middlebox is: 0 at the client, 1 at the server
	boot    time.Duration
	lose    func() bool          // the next probe
	delay   func() time.Duration // of the next timer's handler

	// everySlot makes each timer as late as its slot is wide, as happens when it
	// is due just after a slot began.
	everySlot bool
}

type outcome string

const (
	alive     outcome = "alive"
	forgotten outcome = "forgotten by the middlebox"
	givenUp   outcome = "given up by the kernel"
)

// jiffies is the kernel's clock at the time t after the start.
func (s *simulation) jiffies(t time.Duration) int64 {
	return int64((s.boot + t) / time.Microsecond * time.Duration(s.hz) / 1e6)
}

// fires is when a timer set at t for delta jiffies fires.
func (s *simulation) fires(t time.Duration, delta int64) time.Duration {
	delta = max(delta, 1)
	granule := int64(1)
	for start := int64(63); delta >= start; start *= 8 {
		granule *= 8
	}
	expires := s.jiffies(t) + delta
	slot := (expires/granule + 1) * granule
	if s.everySlot {
		slot = expires + granule
	}
	at := time.Duration(slot)*time.Second/time.Duration(s.hz) - s.boot
	return max(at, t) + s.delay()
}

// run lets the connection exchange data once, at the time first, before any probe,
// and then be silent until so many probes were answered.
func (s *simulation) run(first time.Duration, answers int) outcome {
	toJiffies := func(d time.Duration) int64 { return int64(d/time.Millisecond) * s.hz / 1000 }
	idle, interval := toJiffies(s.cfg.Idle), toJiffies(s.cfg.Interval)
	var userTimeout int64
	if s.cfg.UserTimeout > 0 {
		userTimeout = toJiffies(s.cfg.UserTimeout)
	}
	there := time.Duration(s.near * float64(s.rtt) / 2)
	var seen, received time.Duration // by the middlebox, by the client
	exchange := func(t time.Duration) bool {
		if t+there-seen >= s.timeout {
			return false
		}
		seen, received = t+s.rtt-there, t+s.rtt
		return true
	}
	exchange(0) // SYN and SYN-ACK
	t := s.fires(received, idle)
	if first > 0 {
		exchange(first)
	}
	for unanswered := 0; ; {
		if t < received { // data is in flight
			t = s.fires(t, idle)
			continue
		}
		elapsed := s.jiffies(t) - s.jiffies(received)
		if elapsed < idle {
			t = s.fires(t, idle-elapsed)
			continue
		}
		if userTimeout > 0 && elapsed >= userTimeout && unanswered > 0 ||
			userTimeout == 0 && unanswered >= s.cfg.Count {
			return givenUp
		}
		if s.lose() {
			unanswered++
		} else {
			if !exchange(t) {
				return forgotten
			}
			unanswered = 0
			if answers--; answers == 0 {
				return alive
			}
		}
		t = s.fires(t, interval)
	}
}

// loseAtMost loses probes at random, never more than n in a row.
func loseAtMost(n int, random *rand.Rand) func() bool {
	row := 0
	return func() bool {
		if row < n && random.IntN(4) > 0 {
			row++
			return true
		}
		row = 0
		return false
	}
}

// loseAlways loses n probes, answers one, and so on.
func loseAlways(n int) func() bool {
	row := 0
	return func() bool {
		if row < n {
			row++
			return true
		}
		row = 0
		return false
	}
}

func never() time.Duration { return 0 }
