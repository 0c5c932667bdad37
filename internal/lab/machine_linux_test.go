package lab

import (
	"sync"
	"time"
)

// machine watches how late this process is woken up. A bound of the kernel holds for the
// kernel; when a goroutine learns of it is up to what else the machine does.
var machine = &lateness{}

// A lateness are the times at which a goroutine was woken too late.
type lateness struct {
	mu    sync.Mutex
	wakes []wake
}

type wake struct {
	at   time.Time
	late time.Duration
}

const heartbeat = 5 * time.Millisecond

// watch runs for as long as the tests do.
func (l *lateness) watch() {
	for {
		began := time.Now()
		time.Sleep(heartbeat)
		if late := time.Since(began) - heartbeat; late > 10*time.Millisecond {
			l.mu.Lock()
			l.wakes = append(l.wakes, wake{time.Now(), late})
			l.mu.Unlock()
		}
	}
}

// late is what to allow for in a time that a test measured since then: twice the worst
// that was seen, as it is woken at the beginning and at the end.
func (l *lateness) late(since time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	worst := 10 * time.Millisecond
	for _, w := range l.wakes {
		if w.at.After(since) {
			worst = max(worst, w.late)
		}
	}
	return 2 * worst
}
