package discover

import (
	"time"
)

// bounds are the conclusion from all tests.
type bounds struct {
	// alive is the longest silence that a connection survived, dead the shortest that a
	// connection did not survive.
	alive, dead time.Duration
	end         string        // of that one
	late        time.Duration // how much sooner that connection may have ended
	// disagreed says that there is more than one timeout: connections survived longer
	// silences than dead, up to longest, and that is no accident. alive is then the
	// longest silence below dead that a connection survived.
	disagreed bool
	longest   time.Duration
}

const (
	// confirmed is how many connections have to die until a timeout is believed.
	confirmed = 2
	// beyond and beyondAtAll are by how much, as a factor and in addition, a silence that
	// was survived has to be longer to contradict a death. One timeout, with its timers
	// and on a busy machine, varies by less than that.
	beyond      = 1 + precision
	beyondAtAll = 200 * time.Millisecond
	// accidents is the share of connections that may die for another reason.
	accidents = 1.0 / 20
)

// weigh finds the bounds. If one connection died and others survived longer silences, it
// died for another reason. If several died and several survived longer silences, there is
// more than one timeout.
func weigh(tests []Test) (b bounds) {
	for _, t := range tests {
		if t.Survived() {
			b.longest = max(b.longest, t.Idle)
		}
	}
	// The first that died although others survived a clearly longer silence.
	first := shortest(tests, func(t Test) bool { return t.Died() && beyondOf(t.Idle) <= b.longest })
	b.alive = b.longest
	if first != nil {
		// Those that were hastened when it died count with it. Those that died close to the
		// timeout of the survivors do not.
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
	// A packet that is sent just when the other side closes is answered with RST, so an
	// end that came by itself shortly after says more.
	byItself := shortest(tests, func(t Test) bool {
		return endsByItself(t.End) && t.Idle > b.alive && float64(t.Idle) <= (1+precision)*float64(first.Idle)
	})
	if byItself != nil {
		first = byItself
	}
	b.dead, b.end, b.late = first.Idle, first.End, first.Late
	return b
}

// shortest returns the test with the shortest silence among those that f selects.
func shortest(tests []Test, f func(Test) bool) (first *Test) {
	for i, t := range tests {
		if f(t) && (first == nil || t.Idle < first.Idle) {
			first = &tests[i]
		}
	}
	return first
}

// beyondOf returns the shortest silence whose survival contradicts a death after idle.
func beyondOf(idle time.Duration) time.Duration {
	return time.Duration(float64(idle)*beyond) + beyondAtAll
}

// byItself reports whether the connection of dead ended by itself. It then shows the
// timeout itself, and not only a silence that was too long.
func (b bounds) byItself() bool { return b.dead > 0 && endsByItself(b.end) }

// outliers counts the connections that died although others survived longer silences.
func outliers(tests []Test, alive time.Duration) (n int) {
	for _, t := range tests {
		if t.Died() && t.Idle <= alive {
			n++
		}
	}
	return n
}
