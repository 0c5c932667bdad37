package discover

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// Run measures after what silence a path forgets a connection. [Result.Err] says whether
// the result is an answer.
//
// If the options make no sense, Run returns an error and no result. If no connection of
// a round can be made, or none is answered, Run returns an error, and the result of the
// rounds before. Such an error wraps [sockopt.ErrUnknown] if the server closes
// connections after its first answer. If ctx is cancelled, Run returns the cause, and
// what is known until then.
func Run(ctx context.Context, o Options) (*Result, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	if err := o.Check.possible(kernel.Current()); err != nil {
		return nil, err
	}
	s := &search{Options: o, began: time.Now(), result: &Result{}, dials: make(chan struct{}, dialsAtATime)}
	err = s.rounds(ctx)
	s.result.Took = time.Since(s.began)
	return s.result, err
}

// A search narrows the bounds, round by round.
type search struct {
	Options
	began  time.Time
	round  int
	result *Result
	// dials has an element for each connection that is being made.
	dials chan struct{}
	// earlier is how many tests ended in the rounds before this one.
	earlier int
	// looked says whether a round has looked by how much connections differ, and apart
	// whether the last round showed two timeouts that are not far apart.
	looked, apart bool

	mu     sync.Mutex // for what follows, and result
	bounds bounds
	// until is when the round ends at the latest.
	until time.Time
}

// rounds runs rounds until the bounds are close.
func (s *search) rounds(ctx context.Context) error {
	s.result.tried = s.Max
	for s.round = 1; s.round <= maxRounds; s.round++ {
		if err := s.runRound(ctx, s.times()); err != nil {
			return err
		}
		if s.compare() || s.done() {
			break
		}
	}
	return nil
}

// compare reports whether two rounds have shown two timeouts that are not far apart.
func (s *search) compare() bool {
	if s.bounds.disagreed {
		return false
	}
	before, longest := s.apart, apart(s.result.Tests[s.earlier:])
	s.apart = longest > 0
	if !s.apart || !before && s.round < maxRounds {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bounds.disagreed, s.bounds.longest = true, longest
	s.result.set(s.bounds)
	return true
}

// done reports whether another round would find nothing new.
func (s *search) done() bool {
	b := s.bounds
	switch {
	case b.dead == 0: // all live, or nothing longer can be seen
		return s.result.masked() || b.alive >= s.Max
	case s.apart && !b.disagreed, deaths(s.result.Tests, b.alive) < confirmed:
		return false
	case b.byItself() && float64(b.late) <= precision*float64(b.dead):
		return true
	case b.alive == 0 || b.byItself():
		return b.alive == 0 && s.narrow()
	}
	// The times of the first round are too far apart to show whether connections differ.
	return s.narrow() && (s.round > 1 || s.Guess > 0) && (b.near == 0 || s.looked)
}

// narrow reports whether the bounds are close.
func (s *search) narrow() bool {
	b := s.bounds
	if b.alive == 0 { // nothing shorter was to be tried
		return float64(b.dead) <= (1+precision)*float64(s.Min)
	}
	return float64(b.dead-b.alive) <= precision*float64(b.dead)
}

// times returns the silences that this round tries.
func (s *search) times() []time.Duration {
	n, b := s.Connections, s.bounds
	switch {
	case s.round == 1 && s.Guess > 0:
		return s.around(n)
	case b.dead == 0:
		return geometric(max(s.Min, b.alive), s.Max, n)
	case s.apart, b.near > 0 && s.narrow():
		s.looked = true
		from := cmp.Or(b.near, b.dead)
		return linear(max(2*from-beyondOf(from), from/2), beyondOf(beyondOf(b.dead)), n)
	case b.alive == 0: // the shortest one already died
		return geometric(min(s.Min, b.dead), b.dead, n)
	case deaths(s.result.Tests, b.alive) < confirmed: // alone, it may be an accident
		return linear(b.alive, max(b.dead, min(s.Max, beyondOf(beyondOf(b.dead)))), n)
	}
	return linear(b.alive, b.dead, n)
}

// around returns n times around the guess, most of them close to it.
func (s *search) around(n int) []time.Duration {
	g, few := s.Guess, max(1, n/8)
	limits := [...]time.Duration{max(s.Min, g/2), max(s.Min, g*7/8), min(s.Max, g*9/8), min(s.Max, g*3/2)}
	times := linear(limits[0], limits[1], few)
	times = append(times, linear(limits[1], limits[2], n-2*few)...)
	return append(times, linear(limits[2], limits[3], few)...)
}

// geometric returns n times from low to high, each longer by the same factor.
func geometric(low, high time.Duration, n int) []time.Duration {
	times := make([]time.Duration, 0, n)
	factor := math.Pow(float64(high)/float64(low), 1/float64(n-1))
	for i := range n - 1 {
		times = append(times, time.Duration(float64(low)*math.Pow(factor, float64(i))))
	}
	return append(times, high)
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
	every  time.Duration // the peer's period, for Masked
	counts bool          // whether segments were counted
}

// A running test can be ended sooner.
type running struct {
	idle   time.Duration
	sooner chan time.Duration
}

// runRound leaves one connection idle for each of the times. Once enough connections have
// died, the tests of longer times are ended. Those of shorter times have ended by then.
func (s *search) runRound(ctx context.Context, times []time.Duration) error {
	s.earlier = len(s.result.Tests)
	coarse := s.round < maxRounds && len(times) > 1 && float64(times[len(times)-1]) > (1+precision)*float64(times[len(times)-2])
	s.setUntil(times[len(times)-1])
	stop := s.report()
	defer stop()
	testing, end := context.WithCancel(ctx)
	defer end()

	outcomes := make(chan outcome, len(times))
	tests := make([]running, len(times))
	for i, idle := range times {
		r := running{idle, make(chan time.Duration, 1)}
		tests[i] = r
		go func() { outcomes <- s.test(testing, r) }()
	}
	failed, cut := 0, false
	for range times {
		o := <-outcomes
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if o.End == endFailed {
			failed++
		}
		if s.account(o, coarse) && !cut {
			cut = true
			s.hasten(tests)
		}
	}
	if failed == len(times) {
		return fmt.Errorf("discover: none of %d connections: %w", len(times), s.result.failure())
	}
	return nil
}

// hasten ends the tests of longer times than that after which connections died. They are
// asked so much later that it contradicts the deaths if they live: then not all connections
// have the same timeout.
func (s *search) hasten(tests []running) {
	limit := beyondOf(s.bounds.dead)
	for _, r := range tests {
		if r.idle > limit {
			r.sooner <- limit
		}
	}
}

// test makes a connection and leaves it idle.
func (s *search) test(ctx context.Context, r running) outcome {
	failed := func(err error) outcome {
		return outcome{Test: Test{Idle: r.idle, End: endFailed, Err: err}, counts: true}
	}
	select {
	case s.dials <- struct{}{}:
	case <-ctx.Done():
		return failed(ctx.Err())
	}
	subject, err := s.connect(ctx)
	<-s.dials
	if err != nil {
		return failed(err)
	}
	every, err := subject.quieten(ctx)
	switch {
	case err != nil:
		subject.conn.Close()
		return failed(err)
	case every > 0:
		subject.conn.Close()
		return outcome{Test{Idle: every, End: endMasked}, every, true}
	}
	o := outcome{counts: subject.counts}
	o.Test, o.every = subject.run(ctx, r.idle, r.sooner)
	return o
}

// patience returns how long an answer may take.
func (s *search) patience() time.Duration {
	if s.Check == Probe {
		return max(s.Wait, probeWait)
	}
	return s.Wait
}

// account adds a test to the result, and reports whether the round may end. That takes
// two deaths, as one connection may die for another reason, unless the next round tries
// the times around the first death anyway. A survivor can also end the round, if it shows
// that connections disagree.
func (s *search) account(o outcome, coarse bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.result
	r.Tests = append(r.Tests, o.Test)
	r.MaskUnknown = r.MaskUnknown || !o.counts
	if o.every > 0 && (r.MaskedBy == 0 || o.every < r.MaskedBy) {
		r.MaskedBy = o.every
	}
	s.bounds = weigh(r.Tests)
	r.set(s.bounds)
	s.tell(&o.Test)
	died := deaths(r.Tests[s.earlier:], s.bounds.alive)
	if !o.Died() && !s.bounds.disagreed {
		return false
	}
	return died >= confirmed || died > 0 && coarse && !s.bounds.byItself()
}

func (s *search) setUntil(longest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Now().Add(longest + s.patience() + settle)
}
