package discover

import (
	"context"
	"errors"
	"time"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A reply is what a connection showed when the check asked whether it works.
type reply struct {
	end string
	// err is why the check failed, how the connection ended, or why it will not survive
	// another check.
	err error
	// asked is the earliest, and sent the latest time at which the question was sent.
	asked, sent time.Time
}

// ask finds out whether the connection works.
func (s *subject) ask(ctx context.Context) (r reply) {
	if s.check.request == nil {
		return s.probe(ctx)
	}
	r.asked = time.Now()
	r.err = s.conn.SetWriteDeadline(r.asked.Add(writeWait))
	if r.err != nil {
		r.end = endFailed
		return r
	}
	_, r.err = s.conn.Write(s.check.request)
	r.sent = time.Now()
	if r.err != nil {
		r.end = endOf(r.err, endClosedOnUse, endResetOnUse)
		return r
	}
	r.end, r.err = s.answer(ctx, r.asked)
	return r
}

// answer waits for the answer to what was sent, and returns the end that it shows.
func (s *subject) answer(ctx context.Context, asked time.Time) (string, error) {
	var got []byte
	late := time.NewTimer(s.wait)
	defer late.Stop()
	for more := true; ; {
		select {
		case a := <-s.reads:
			got = append(got, a.data...)
			whole, err := s.check.answered(got)
			switch {
			case whole:
				return endSurvived, err
			case errors.Is(err, errTimedOut):
				return endClosedOnUse, err
			case err != nil:
				return endFailed, err
			case a.err != nil:
				return endOf(a.err, endClosedOnUse, endResetOnUse), a.err
			}
		case <-late.C:
			came, ok := receivedBy(s.tcp)
			switch {
			case more && (len(s.reads) > 0 || ok && came.data.After(asked.Add(-tick))):
				// The answer came in time, and this process has not read it yet, as the
				// machine is busy or the process was stopped.
				more = false
				late.Reset(s.wait)
			case ok && came.ack.After(asked.Add(-tick)):
				return endUnanswered, nil
			default:
				return endNoAnswer, nil
			}
		case <-ctx.Done():
			return endFailed, ctx.Err()
		}
	}
}

// probe lets the kernel send keepalive probes at once: the connection gets an idle time
// that is already over.
func (s *subject) probe(ctx context.Context) reply {
	r := reply{asked: time.Now()}
	r.err = sockopt.Set(s.tcp, sockopt.Config{Idle: probeIdle, Interval: time.Second, Count: 3})
	r.sent = time.Now()
	if r.err != nil {
		r.end = endFailed
		return r
	}
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	late := time.After(max(s.wait, probeWait))
	for {
		select {
		case a := <-s.reads:
			if r.end, r.err = endSurvived, a.err; a.err != nil {
				r.end = endOf(a.err, endClosedOnUse, endResetOnUse)
			}
			return r
		case <-ticks.C:
			if s.acknowledged(r.asked) {
				r.end = endSurvived
				return r
			}
		case <-late:
			if r.end = endNoAnswer; s.acknowledged(r.asked) { // seen late on a busy machine
				r.end = endSurvived
			}
			return r
		case <-ctx.Done():
			r.end, r.err = endFailed, ctx.Err()
			return r
		}
	}
}

// acknowledged reports whether the peer acknowledged something since then.
func (s *subject) acknowledged(since time.Time) bool {
	came, ok := receivedBy(s.tcp)
	return ok && came.ack.After(since.Add(-tick))
}
