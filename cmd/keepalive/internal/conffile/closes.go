package conffile

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// A closing is a timeout of the program itself: no keepalive probe puts it off, because the
// kernel answers probes and the program never learns of them.
type closing struct {
	after time.Duration // 0 is never
	text  string        // where it stands, or whose default it is
	// protocol is that of the heartbeats that count, as in align.Profile; "" if any data do.
	protocol string
}

// maxClosing is longer than anybody waits, and what all programs here take.
const maxClosing = 100 * 365 * 24 * time.Hour

// closes notes a closing. The shortest one counts.
func (l *leg) closes(c closing) {
	l.EndedBy(l.program, c.after, c.text, c.protocol)
}

// EndedBy notes that a program itself ends a connection of the leg after so much silence,
// and where that stands; 0 is never. protocol is that of the data that count, as in
// [align.Profile], and "" if any do. Of several the shortest one counts.
func (l *Leg) EndedBy(program string, after time.Duration, text, protocol string) {
	if after > 0 && (l.Closes == 0 || after < l.Closes) {
		l.Closes, l.ClosesText, l.protocol, l.closedBy = min(after, maxClosing), text, protocol, program
	}
}

// assessClosing says what the program's own timeout changes about an assessment.
func (l *Leg) assessClosing(r align.Request, a *align.Assessment) (*align.Assessment, error) {
	ends := fmt.Sprintf("%s itself ends it after %s of silence", l.closedBy, duration.Seconds(l.Closes))
	if a != nil && a.Verdict == align.Loses {
		a.Reason += "; and " + ends
		return a, nil
	}
	why := fmt.Sprintf("%s (%s), and probes do not put that off: only data keeps it", ends, l.ClosesText)
	closer, err := align.Path("server:" + duration.Seconds(l.Closes))
	if err != nil {
		return nil, err
	}
	closer[0].Protocol = l.protocol
	if r.Server { // it ends the leg at the program's end, and splits nothing
		r.Path = append(r.Path[:len(r.Path):len(r.Path)], closer...)
	} else {
		r.Path = append(closer, r.Path...)
	}
	closed, err := l.assess(r)
	if err != nil || closed.Verdict != align.NeedsHeartbeat {
		return closed, err
	}
	if a != nil && a.Verdict == align.NeedsHeartbeat {
		why = a.Reason + "; and " + why
	}
	closed.Reason = why
	return closed, nil
}
