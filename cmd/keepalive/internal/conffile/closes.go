package conffile

import (
	"fmt"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// A Closing is a timeout of a program itself: no keepalive probe puts it off, because the
// kernel answers probes and the program never learns of them.
type Closing struct {
	After time.Duration // 0 is never
	By    string        // the program, as sentences name it
	Text  string        // where it stands, or whose default it is
	// Protocol is that of the heartbeats that count, as in align.Profile; "" if any data do.
	Protocol string
	// Pause is whether it is only for the pause between two requests of HTTP, in which either
	// end may close a connection (RFC 9112, section 9.5), and no request is lost that waits.
	Pause bool
}

// maxClosing is longer than anybody waits, and what all programs here take.
const maxClosing = 100 * 365 * 24 * time.Hour

// closes notes a timeout of the program that the leg is of.
func (l *leg) closes(c Closing) {
	c.By = l.program
	l.EndedBy(c)
}

// EndedBy notes that a program itself ends a connection of the leg. Of several timeouts the
// shortest one counts.
func (l *Leg) EndedBy(c Closing) {
	if c.After > 0 && (l.Closing.After == 0 || c.After < l.Closing.After) {
		c.After = min(c.After, maxClosing)
		l.Closing = c
	}
}

// assessClosing says what the program's own timeout changes about an assessment.
func (l *Leg) assessClosing(r align.Request, a *align.Assessment) (*align.Assessment, error) {
	ends := fmt.Sprintf("%s itself ends it after %s of silence", l.Closing.By, duration.Seconds(l.Closing.After))
	if l.Closing.Pause && a != nil && (a.Verdict == align.Survives || a.Verdict == align.SurvivesIf) {
		a.Reason += fmt.Sprintf("; %s (%s)", ends, l.Closing.Text)
		if l.Server {
			a.Reason += ": a client that may not lose a request gives it up before"
		}
		return a, nil
	}
	if a != nil && a.Verdict == align.Loses {
		a.Reason += "; and " + ends
		return a, nil
	}
	why := fmt.Sprintf("%s (%s), and probes do not put that off: only data keeps it", ends, l.Closing.Text)
	closer, err := align.Path("server:" + duration.Seconds(l.Closing.After))
	if err != nil {
		return nil, err
	}
	closer[0].Protocol = l.Closing.Protocol
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
