package discover

import (
	"time"
)

// Bounds are what all tests together say.
type bounds struct {
	// alive is the longest silence that was survived, dead the shortest that was not.
	alive, dead time.Duration
	end         string        // of that one
	late        time.Duration // how much sooner that end may have come
	// disagreed: connections that were silent for longer than dead survived, up to
	// longest, and that is no accident. alive is then the longest below dead.
	disagreed bool
	longest   time.Duration
}

const (
	// confirmed is how many have to die until it is believed.
	confirmed = 2
	// beyond is by how much a silence has to be longer to contradict a shorter one:
	// more than what timers, and a busy machine, make of one timeout.
	beyond      = 1 + precision
	beyondAtAll = 200 * time.Millisecond
	// accidents is which share of connections may die of something else.
	accidents = 1.0 / 20
)

// weigh finds the bounds. One connection may die of something else: what lived for
// longer is right. Where several died, and several lived for longer, there is more than
// one timeout.
func weigh(tests []Test) (b bounds) {
	for _, t := range tests {
		if t.Survived() {
			b.longest = max(b.longest, t.Idle)
		}
	}
	// One that died although others lived for clearly longer.
	first := shortest(tests, func(t Test) bool { return t.Died() && beyondOf(t.Idle) <= b.longest })
	b.alive = b.longest
	if first != nil {
		// Those that were hastened when it died, and no others that died close to the
		// timeout of those that lived.
		near := beyondOf(beyondOf(first.Idle))
		died, lived := 0, 0
		for _, t := range tests {
			switch {
			case t.Died() && t.Idle <= b.longest && (t.Idle <= near || beyondOf(t.Idle) <= b.longest):
				died++
			case t.Survived() && t.Idle >= first.Idle:
				lived++
			}
		}
		b.disagreed = died >= confirmed && lived >= confirmed && float64(died) >= accidents*float64(died+lived)
	}
	if b.disagreed {
		b.alive = 0
		for _, t := range tests {
			if t.Survived() && t.Idle < first.Idle {
				b.alive = max(b.alive, t.Idle)
			}
		}
	} else {
		first = shortest(tests, func(t Test) bool { return t.Died() && t.Idle > b.alive })
	}
	if first == nil {
		return b
	}
	// Who asks just when the other side closes sees RST: what came by itself says more.
	told := shortest(tests, func(t Test) bool {
		return (t.End == endClosed || t.End == endReset) && t.Idle > b.alive && float64(t.Idle) <= (1+precision)*float64(first.Idle)
	})
	if told != nil {
		first = told
	}
	b.dead, b.end, b.late = first.Idle, first.End, first.Late
	return b
}

// shortest returns the test with the shortest silence of those that f selects.
func shortest(tests []Test, f func(Test) bool) (first *Test) {
	for i, t := range tests {
		if f(t) && (first == nil || t.Idle < first.Idle) {
			first = &tests[i]
		}
	}
	return first
}

// beyondOf is the shortest silence that contradicts a death after this one.
func beyondOf(idle time.Duration) time.Duration {
	return time.Duration(float64(idle)*beyond) + beyondAtAll
}

// told: the end came by itself, and so at the very moment.
func (b bounds) told() bool { return b.dead > 0 && (b.end == endClosed || b.end == endReset) }

// outliers are those that died although others lived for longer, of whatever.
func outliers(tests []Test, alive time.Duration) (n int) {
	for _, t := range tests {
		if t.Died() && t.Idle <= alive {
			n++
		}
	}
	return n
}
