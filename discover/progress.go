package discover

import (
	"cmp"
	"sync"
	"time"
)

// A Progress says how far a measurement has come.
type Progress struct {
	Round   int // counted from 1
	Elapsed time.Duration
	// Alive and Dead are the bounds so far. Dead is 0 until a connection has died.
	Alive, Dead time.Duration
	// Left is the longest time that the measurement still takes, as far as that is
	// known.
	Left time.Duration
	// Test is the test that has just ended. It is nil if a second has passed instead.
	Test *Test
}

// report calls Progress every second until stop is called.
func (s *search) report() (stop func()) {
	if s.Progress == nil {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ticks := time.NewTicker(time.Second)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				s.mu.Lock()
				s.tell(nil)
				s.mu.Unlock()
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

// tell calls Progress. s.mu is held, so that only one goroutine calls it at a time.
func (s *search) tell(t *Test) {
	if s.Progress == nil {
		return
	}
	left := time.Until(s.until)
	if dead := s.bounds.dead; dead > 0 { // another round may follow, up to there
		left = cmp.Or(min(left, s.patience()), 0) + dead + s.patience()
	}
	s.Progress(Progress{
		Round: s.round, Elapsed: time.Since(s.began), Test: t, Left: max(left, 0),
		Alive: s.bounds.alive, Dead: s.bounds.dead,
	})
}
