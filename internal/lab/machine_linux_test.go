package lab

import (
	"sync"
	"time"
)

// machine measures how late goroutines of this process are woken. The bounds that tests
// compare hold for the kernel; a goroutine notices an event later if the machine is busy.
var machine = &lateness{}

// A lateness records when a goroutine was woken too late.
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

// late returns the tolerance for a time that a test has measured since then: twice the worst
// lateness, because the test is woken at the beginning and at the end.
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
