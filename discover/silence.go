package discover

import (
	"context"
	"time"
)

const (
	// look is the time between two looks at whether something came.
	look = 50 * time.Millisecond
	// lastWords is how long before the end of a connection its sender may announce that
	// end: with 408 of HTTP, an error message, or close_notify of TLS.
	lastWords = 2 * time.Second
	// tooMany is how many interruptions end a test that was never silent for long
	// enough.
	tooMany = 4
)

// An event is something that came, or the end of the connection. It happened between
// from, when nothing had come yet, and to. A process that gets no processor, or is
// stopped, sees it late.
type event struct {
	from, to time.Time
	data     bool
	err      error // if the connection ended
}

// A burst is a series of events that belong together.
type burst struct {
	first event
	// quiet and talk are those of the subject before the burst.
	quiet, talk time.Time
	data        bool
	to          time.Time
}

// A gap is the time between two bursts, which is not known exactly.
type gap struct{ min, max time.Duration }

// agrees reports whether two gaps can be the period of one clock: both are known well,
// and differ by no more than timers do.
func (g gap) agrees(other gap) bool {
	short, long := min(g.min, other.min), max(g.max, other.max)
	return long-short <= long/4
}

// A silence is the time in which a connection is left alone.
type silence struct {
	*subject
	last  *burst
	gaps  []gap
	over  *time.Timer
	every time.Duration // the peer's period, once it is known
}

// run leaves the connection silent for the idle time, and then asks whether it works. If
// the peer sends something meanwhile, the silence starts again; if that happens again and
// again, the test ends. A time from sooner replaces a longer idle time. every is the
// peer's period, 0 if none is known.
func (s *subject) run(ctx context.Context, idle time.Duration, sooner <-chan time.Duration) (t Test, every time.Duration) {
	defer s.conn.Close()
	w := silence{subject: s, over: time.NewTimer(time.Until(s.quiet.Add(idle)))}
	defer w.over.Stop()
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for {
		var events []event
		select {
		case <-ctx.Done():
			return Test{Idle: idle, End: endFailed, Err: ctx.Err()}, 0
		case limit := <-sooner:
			idle = min(idle, limit)
			w.over.Reset(time.Until(s.quiet.Add(idle)))
			continue
		case a := <-s.reads:
			events = s.arrived(a)
		case <-ticks.C:
			events = s.news()
		case <-w.over.C:
			// Something that came before the end of the silence counts first, however
			// late this process is.
			if events = s.news(); len(events) == 0 {
				return s.conclude(ctx), 0
			}
		}
		for _, e := range events {
			if t, ended := w.happened(e); ended {
				return t, w.every
			}
		}
		if len(events) > 0 {
			w.over.Reset(time.Until(s.quiet.Add(idle)))
		}
	}
}

// conclude asks whether the connection works, after the silence. A silence that was
// survived ends when this process last saw that nothing had come, as on a busy machine
// something may have come since. A silence that was not survived ends when the question
// was sent.
func (s *subject) conclude(ctx context.Context) Test {
	a := s.ask(ctx)
	t := Test{Idle: s.looked.Sub(s.quiet), End: a.end}
	switch {
	case isDead(a.end):
		t.Idle = a.sent.Sub(s.quiet)
	case a.end == endFailed:
		t.Err = a.err
	}
	return t
}

// news returns what came since the last look.
func (s *subject) news() []event {
	select {
	case a := <-s.reads:
		return s.arrived(a)
	default:
	}
	before, from := s.seen, s.looked
	now, ok := s.look()
	if !ok || now.segments == before.segments {
		return nil
	}
	wait := look
	if now.closed {
		wait = lastWords // a read will show how
	}
	select {
	case a := <-s.reads:
		s.seen, s.looked = before, from
		return s.arrived(a)
	case <-time.After(wait):
	}
	e := event{from: from, to: now.when, data: now.dataSegments != before.dataSegments}
	if e.data {
		e = e.at(now.data, now.segments-before.segments)
	} else if now.ack.After(before.ack.Add(tick)) {
		e = e.at(now.ack, now.segments-before.segments)
	}
	return []event{e}
}

// arrived returns what a read brought as events: data, the end, or both.
func (s *subject) arrived(a arrival) (events []event) {
	before, from := s.seen, s.looked
	now, ok := s.look()
	e := event{from: from, to: a.at}
	if e.from.After(e.to) {
		e.from = e.to
	}
	if len(a.data) > 0 {
		e := e
		if e.data = true; ok {
			e = e.at(now.data, now.dataSegments-before.dataSegments)
		}
		events = append(events, e)
	}
	if a.err != nil {
		if e.err = a.err; ok && endOf(a.err, endClosed, endReset) == endClosed {
			e = e.at(now.ack, 1) // FIN came last; when an RST came is not known
		}
		events = append(events, e)
	}
	return events
}

// look asks the kernel what came until now, and notes when the connection was still open.
func (s *subject) look() (received, bool) {
	now, ok := receivedBy(s.tcp)
	if ok = ok && s.counts; !ok {
		s.looked = time.Now()
		return now, false
	}
	s.seen = now
	if !now.closed {
		s.looked = now.when
	}
	return now, true
}

// at narrows an event to the time t, at which the last one of so many segments came.
func (e event) at(t time.Time, segments uint32) event {
	if t.After(e.to) {
		return e
	}
	if e.to = t; segments <= 1 || e.from.After(t) {
		e.from = t
	}
	return e
}

// happened adds an event, and returns the test if the event ends it.
func (w *silence) happened(e event) (t Test, ended bool) {
	if e.err != nil {
		return w.end(e), true
	}
	if w.last != nil && e.to.Sub(w.last.to) < settle { // it belongs to what came before
		w.last.to, w.last.data = e.to, w.last.data || e.data
		if e.to.Sub(w.last.first.to) > restless { // it goes on and on
			return Test{Idle: w.gaps[len(w.gaps)-1].min, End: endMasked}, true
		}
	} else {
		since := w.quiet
		if w.last != nil {
			since = w.last.first.from
		}
		w.gaps = append(w.gaps, gap{e.from.Sub(w.quiet), e.to.Sub(since)})
		w.last = &burst{first: e, quiet: w.quiet, talk: w.talk, data: e.data, to: e.to}
	}
	w.quiet = e.to
	if e.data {
		w.talk = e.to
	}
	n := len(w.gaps)
	if n >= 2 && w.gaps[n-1].agrees(w.gaps[n-2]) {
		w.every = max(w.gaps[n-1].max, w.gaps[n-2].max)
	}
	if w.every == 0 && n < tooMany {
		return Test{}, false
	}
	return Test{Idle: max(w.gaps[n-1].min, w.gaps[n-2].min), End: endMasked}, true
}

// end returns the test of a connection that ended by itself. The program that ended it
// measures the time since the last data: keepalive probes since then do not count.
func (w *silence) end(e event) Test {
	talk := w.talk
	at := e
	if w.last != nil && w.last.data && e.to.Sub(w.last.first.to) <= lastWords {
		at, talk = w.last.first, w.last.talk
	}
	t := Test{Idle: at.to.Sub(talk), End: endOf(e.err, endClosed, endReset), Late: at.to.Sub(at.from)}
	if t.End == endFailed {
		t.Err = e.err
	}
	return t
}
