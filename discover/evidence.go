package discover

import (
	"time"
)

// bounds are the conclusion from all tests.
type bounds struct {
	// dead is the shortest silence that a connection did not survive, other than by
	// accident, and alive the longest below it that a connection survived.
	alive, dead time.Duration
	end         string        // of the connection of dead
	late        time.Duration // how much sooner that connection may have ended
	// longest is the longest silence of all that a connection survived. If several are
	// clearly longer than dead, connections disagree: there is more than one timeout. They
	// also do if two rounds show timeouts that are a little apart.
	longest   time.Duration
	disagreed bool
	// near is the shortest silence that a connection did not survive, whereas others
	// survived one that is longer, and not clearly longer. It is 0 if there is none.
	near time.Duration
}

const (
	// confirmed and accidents say when deaths that other connections outlived are no
	// accidents: if they are so many, and at least this share of the connections that were
	// silent for as long.
	confirmed = 2
	accidents = 1.0 / 20
	// beyond and beyondAtAll are by how much a silence that was survived has to be longer
	// to contradict a death: by this factor, and by this time. One timeout, with its timers
	// and on a busy machine, varies by less than that.
	beyond      = 1 + precision
	beyondAtAll = 200 * time.Millisecond
)

// weigh finds the bounds. A death that others outlived is an accident if it is alone, or
// nearly so. If not, it shows the timeout, and what was survived beyond it only shows
// whether all connections have that one: a survivor that is alone does not, either.
func weigh(tests []Test) (b bounds) {
	for _, t := range tests {
		if t.Survived() {
			b.longest = max(b.longest, t.Idle)
		}
	}
	near := shortest(tests, func(t Test) bool { return t.Died() && t.Idle <= b.longest && beyondOf(t.Idle) > b.longest })
	if near != nil {
		b.near = near.Idle
	}
	first := firstConfirmed(tests, b.longest)
	if first != nil {
		b.disagreed = outlived(tests, first.Idle, beyondOf(first.Idle))
		for _, t := range tests {
			if t.Survived() && t.Idle < first.Idle {
				b.alive = max(b.alive, t.Idle)
			}
		}
	} else {
		b.alive = b.longest
		first = shortest(tests, func(t Test) bool { return t.Died() && t.Idle > b.longest })
	}
	if first == nil {
		return b
	}
	// A packet that is sent just when the other side closes is answered with RST, so an
	// end that came by itself shortly after says more.
	byItself := shortest(tests, func(t Test) bool {
		return endsByItself(t.End) && t.Idle > b.alive && float64(t.Idle) <= (1+precision)*float64(first.Idle)
	})
	if byItself == nil {
		byItself = first
	}
	b.dead, b.end, b.late = byItself.Idle, byItself.End, max(byItself.Late, byItself.Idle-first.Idle)
	return b
}

// firstConfirmed returns the shortest death that others outlived, up to the longest
// silence, and that is no accident. There may be accidents before it.
func firstConfirmed(tests []Test, longest time.Duration) *Test {
	return shortest(tests, func(first Test) bool {
		if !first.Died() || first.Idle > longest {
			return false
		}
		// Those that were hastened when it died count with it. Those that died close to the
		// timeout of the survivors, and long after it, do not.
		near := beyondOf(beyondOf(first.Idle))
		died, lived := 0, 0
		for _, t := range tests {
			switch {
			case t.Idle < first.Idle:
			case t.Died() && t.Idle <= longest && (t.Idle <= near || beyondOf(t.Idle) <= longest):
				died++
			case t.Survived():
				lived++
			}
		}
		return !accidental(died, died+lived)
	})
}

// outlived reports whether several connections survived a silence of at least so long, of
// all those that were silent until from.
func outlived(tests []Test, from, long time.Duration) bool {
	lived, all := 0, 0
	for _, t := range tests {
		if (t.Survived() || t.Died()) && t.Idle >= from {
			all++
			if t.Survived() && t.Idle >= long {
				lived++
			}
		}
	}
	return !accidental(lived, all)
}

// accidental reports whether so many of all connections may be different by accident.
func accidental(n, all int) bool {
	return n < confirmed || float64(n) < accidents*float64(all)
}

// apart returns how long connections lived in a round that shows two timeouts which differ
// by 5 % and at least 0.2 s, 0 if it does not. A machine that is busy at the wrong moment
// looks the same, but hardly in the next round again.
func apart(tests []Test) (longest time.Duration) {
	first := shortest(tests, func(first Test) bool {
		further := max(time.Duration(float64(first.Idle)*beyond), first.Idle+beyondAtAll)
		died, lived := 0, 0
		for _, t := range tests {
			switch {
			case t.lived() >= further:
				lived++
			case t.Died() && t.Idle >= first.Idle && t.Idle < further:
				died++
			}
		}
		return first.Died() && !accidental(died, died+lived) && !accidental(lived, died+lived)
	})
	if first == nil {
		return 0
	}
	for _, t := range tests {
		longest = max(longest, t.lived())
	}
	return longest
}

// lived returns for how long the connection certainly lived, 0 if that is not known.
func (t Test) lived() time.Duration {
	switch {
	case t.Survived():
		return t.Idle
	case endsByItself(t.End):
		return t.Idle - t.Late
	}
	return 0
}

// shortest returns the test with the shortest silence among those that f selects.
func shortest(tests []Test, f func(Test) bool) (first *Test) {
	for i, t := range tests {
		if (first == nil || t.Idle < first.Idle) && f(t) {
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
		if t.Died() && t.Idle < alive {
			n++
		}
	}
	return n
}

// deaths counts the connections that died after a longer silence than all survived.
func deaths(tests []Test, alive time.Duration) (n int) {
	for _, t := range tests {
		if t.Died() && t.Idle >= alive {
			n++
		}
	}
	return n
}
