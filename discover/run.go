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
	s := &search{Options: o, began: time.Now(), result: &Result{}, dials: make(chan struct{}, dialsAtATime)}
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
	// longest is the longest time that was to be tried.
	longest time.Duration
	// earlier are the tests of rounds before this one, deaths those of this round that
	// count, cut is whether it ended because of them.
	earlier, deaths int
	cut             bool
	// dials are those that are going on.
	dials chan struct{}

	mu sync.Mutex // for what follows, and result
	// until is when the round ends at the latest.
	until time.Time
}

// rounds runs rounds until the bounds are close.
func (s *search) rounds(ctx context.Context) error {
	for s.round = 1; s.round <= maxRounds; s.round++ {
		times := s.times()
		s.longest = max(s.longest, times[len(times)-1])
		if err := s.runRound(ctx, times); err != nil {
			return err
		}
		if s.done() {
			break
		}
	}
	if s.told() {
		s.result.Alive = s.result.Dead
	}
	return nil
}

// done tells whether another round would find nothing new.
func (s *search) done() bool {
	r := s.result
	switch {
	case r.Dead == 0: // nothing dies, nothing can be seen, or what seemed dead was not
		return !s.contradicted() || r.Alive >= s.longest
	case s.cut && s.deaths < confirmed:
		return false
	case r.Alive == 0 && float64(r.Dead) <= (1+precision)*float64(s.Min):
		return true // nothing shorter was to be tried
	}
	return s.told() || float64(r.Dead-r.Alive) <= precision*float64(r.Dead)
}

// told: the end came by itself, and so at the very moment.
func (s *search) told() bool {
	return s.result.Dead > 0 && (s.result.End == Closed || s.result.End == Reset)
}

// contradicted tells whether a connection died although another lived for longer: of
// something else than the silence.
func (s *search) contradicted() bool {
	return slices.ContainsFunc(s.result.Tests, func(t Test) bool { return t.End.dead() && t.Idle <= s.result.Alive })
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
	case r.Dead == 0:
		return geometric(r.Alive, s.longest, n)
	case r.Alive == 0: // the shortest one already died
		return geometric(min(s.Min, r.Dead), r.Dead, n)
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

// linear returns n times between low and high, the last of which is high.
func linear(low, high time.Duration, n int) []time.Duration {
	times := make([]time.Duration, 0, n)
	for i := range n {
		times = append(times, low+(high-low)*time.Duration(i+1)/time.Duration(n))
	}
	return times
}

// An outcome is a test that ended.
type outcome struct {
	Test
	counts bool // whether segments were counted
}

// runRound leaves a connection idle for each of the times. Where enough have died,
// longer ones are given up: they would too. Shorter ones have been asked by then.
func (s *search) runRound(ctx context.Context, times []time.Duration) error {
	s.deaths, s.cut, s.earlier = 0, false, len(s.result.Tests)
	coarse := s.round < maxRounds && len(times) > 1 && float64(times[len(times)-1]) > (1+precision)*float64(times[len(times)-2])
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
		case s.account(o, coarse):
			s.cut = true
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
	s.dials <- struct{}{}
	subject, err := s.connect(ctx)
	<-s.dials
	if err == nil {
		err = subject.quieten(ctx)
	}
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

// account adds a test to the result, and tells whether it ends the round. One
// connection may die of something else; so it takes two, but where the next round looks
// closer anyway.
func (s *search) account(o outcome, coarse bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.result
	r.Tests = append(r.Tests, o.Test)
	r.MaskUnknown = r.MaskUnknown || !o.counts
	if o.End == Masked && (r.MaskedBy == 0 || o.Idle < r.MaskedBy) {
		r.MaskedBy = o.Idle
	}
	s.bound()
	s.tell(&o.Test)
	if !o.End.dead() {
		return false
	}
	s.deaths = 0
	for _, t := range r.Tests[s.earlier:] {
		if t.End.dead() && t.Idle > r.Alive {
			s.deaths++
		}
	}
	return s.deaths >= confirmed || s.deaths > 0 && coarse && !s.told()
}

// confirmed is how many have to die in a round until it is believed.
const confirmed = 2

// bound sets the bounds to what all tests say: what lived for longer is right.
func (s *search) bound() {
	r := s.result
	r.Alive, r.Dead, r.End = 0, 0, Survived
	for _, t := range r.Tests {
		if t.End == Survived {
			r.Alive = max(r.Alive, t.Idle)
		}
	}
	for _, t := range r.Tests {
		if t.End.dead() && t.Idle > r.Alive && (r.Dead == 0 || t.Idle < r.Dead) {
			r.Dead, r.End = t.Idle, t.End
		}
	}
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
