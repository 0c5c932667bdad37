package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Run measures. It ends early when ctx is cancelled, with what is known until then
// and the cause of the cancellation.
//
// Other errors: options that make no sense, and a first round in which no connection
// could be made or none answered.
func Run(ctx context.Context, o Options) (*Result, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	if o.Check == Probe && runtime.GOOS != "linux" {
		return nil, fmt.Errorf("discover: asking with keepalive probes takes Linux; use Echo or HTTP: %w", errors.ErrUnsupported)
	}
	s := &search{Options: o, began: time.Now(), result: &Result{}}
	err = s.rounds(ctx)
	s.result.Took = time.Since(s.began)
	return s.result, err
}

// A search narrows the bounds down, round by round.
type search struct {
	Options
	began  time.Time
	round  int
	result *Result

	mu sync.Mutex // for what follows, and result
	// until is when the round ends at the latest.
	until time.Time
}

// rounds runs rounds until the bounds are close.
func (s *search) rounds(ctx context.Context) error {
	for s.round = 1; s.round <= maxRounds; s.round++ {
		times := s.times()
		if len(times) == 0 {
			return nil
		}
		if err := s.runRound(ctx, times); err != nil {
			return err
		}
		r := s.result
		switch {
		case r.Dead == 0:
			return nil // nothing dies, or nothing can be seen
		case r.End == Closed || r.End == Reset:
			r.Alive = r.Dead // it told the moment itself
			return nil
		case float64(r.Dead-r.Alive) <= precision*float64(r.Dead):
			return nil
		}
	}
	return nil
}

// times are those to try in this round.
func (s *search) times() []time.Duration {
	n := s.Connections
	r := s.result
	switch {
	case s.round == 1 && s.Guess > 0:
		return linear(s.Guess/2, s.Guess*3/2, n)
	case s.round == 1:
		return geometric(s.Min, s.Max, n)
	case r.Alive == 0 && s.Min < r.Dead: // the shortest one already died
		return linear(min(s.Min, r.Dead/2), r.Dead, n)
	}
	return linear(r.Alive, r.Dead, n)
}

// geometric returns n times from low to high, each longer by the same factor.
func geometric(low, high time.Duration, n int) []time.Duration {
	times := make([]time.Duration, 0, n)
	factor := math.Pow(float64(high)/float64(low), 1/float64(n-1))
	for i := range n {
		times = append(times, time.Duration(float64(low)*math.Pow(factor, float64(i))))
	}
	return slices.Compact(times)
}

// linear returns n times between low and high, without these.
func linear(low, high time.Duration, n int) []time.Duration {
	times := make([]time.Duration, 0, n)
	for i := range n {
		times = append(times, low+(high-low)*time.Duration(i+1)/time.Duration(n+1))
	}
	return times
}

// An outcome is a test that ended.
type outcome struct {
	Test
	counts bool // whether segments were counted
}

// runRound leaves a connection idle for each of the times. Where one dies, longer
// ones are given up: they would too. Shorter ones have been asked by then.
func (s *search) runRound(ctx context.Context, times []time.Duration) error {
	s.setUntil(times[len(times)-1])
	stop := s.report()
	defer stop()

	outcomes := make(chan outcome, len(times))
	giveUp := make([]context.CancelFunc, len(times))
	for i, idle := range times {
		test, cancel := context.WithCancel(ctx)
		defer cancel()
		giveUp[i] = cancel
		go func() { outcomes <- s.test(test, idle) }()
	}
	var failures []error
	for range times {
		o := <-outcomes
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case o.End == Failed && !errors.Is(o.Err, context.Canceled):
			failures = append(failures, o.Err)
		case o.End == Failed: // given up
		case s.account(o):
			for i, idle := range times {
				if idle > o.Idle {
					giveUp[i]()
				}
			}
		}
	}
	if len(failures) == len(times) {
		return fmt.Errorf("discover: none of %d connections: %w", len(times), failures[0])
	}
	return nil
}

// test makes a connection and leaves it idle.
func (s *search) test(ctx context.Context, idle time.Duration) outcome {
	subject, err := s.connect(ctx)
	if err != nil {
		return outcome{Test: Test{Idle: idle, End: Failed, Err: err}}
	}
	return outcome{subject.run(ctx, idle), subject.counts}
}

// patience is how long an answer may take.
func (s *search) patience() time.Duration {
	if s.Check == Probe {
		return max(s.Wait, probeWait)
	}
	return s.Wait
}

// account adds a test to the result, and tells whether it ends the round.
func (s *search) account(o outcome) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.result
	r.Tests = append(r.Tests, o.Test)
	r.MaskUnknown = r.MaskUnknown || !o.counts
	switch {
	case o.End == Masked && (r.MaskedBy == 0 || o.Idle < r.MaskedBy):
		r.MaskedBy = o.Idle
	case o.End == Survived && (r.Dead == 0 || o.Idle < r.Dead):
		r.Alive = max(r.Alive, o.Idle)
	case o.End.dead() && (r.Dead == 0 || o.Idle < r.Dead):
		r.Dead, r.End = o.Idle, o.End
		r.Alive = s.longestBelow(r.Dead)
	}
	s.tell(&o.Test)
	return o.End.dead()
}

// longestBelow is the longest silence below this one that was survived.
func (s *search) longestBelow(dead time.Duration) time.Duration {
	longest := time.Duration(0)
	for _, t := range s.result.Tests {
		if t.End == Survived && t.Idle < dead {
			longest = max(longest, t.Idle)
		}
	}
	return longest
}

func (s *search) setUntil(longest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Now().Add(longest + s.patience() + settle)
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

// tell calls Progress. s.mu is held, so that one goroutine at a time does.
func (s *search) tell(t *Test) {
	if s.Progress == nil {
		return
	}
	left := time.Until(s.until)
	if dead := s.result.Dead; dead > 0 { // another round may follow, up to there
		left = cmp.Or(min(left, s.patience()), 0) + dead + s.patience()
	}
	s.Progress(Progress{
		Round: s.round, Elapsed: time.Since(s.began), Test: t, Left: max(left, 0),
		Alive: s.result.Alive, Dead: s.result.Dead,
	})
}
