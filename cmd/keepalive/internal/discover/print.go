package discover

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// A progress is a line that is written anew, or on something that is no terminal a
// line now and then.
type progress struct {
	w     io.Writer
	live  bool
	round int
	dead  time.Duration
	next  time.Duration
}

func (p *progress) show(now discover.Progress) {
	line := fmt.Sprintf("round %d, %s: alive after %s", now.Round, duration.Passing(now.Elapsed), duration.Passing(now.Alive))
	if now.Dead > 0 {
		line += ", dead after " + duration.Passing(now.Dead)
	}
	line += ", at most " + duration.Passing(now.Left) + " left"
	switch {
	case p.live:
		fmt.Fprint(p.w, "\r"+line+ansi.EraseLineRight)
	case now.Round != p.round || now.Dead != p.dead || now.Elapsed >= p.next:
		fmt.Fprintln(p.w, line)
		p.next = now.Elapsed + 30*time.Second
	}
	p.round, p.dead = now.Round, now.Dead
}

func (p *progress) end() {
	if p.live {
		fmt.Fprint(p.w, "\r"+ansi.EraseEntireLine)
	}
}

func printDiscovery(w io.Writer, r *discover.Result) {
	fmt.Fprintln(w, r)
	fmt.Fprintf(w, "%s, %s\n", connections(len(r.Tests)), duration.Passing(r.Took))
	failed, last := failures(r)
	if failed > 0 && !strings.Contains(r.String(), last.Error()) {
		fmt.Fprintf(w, "%s could not be tested: %s\n", connections(failed), last)
	}
	if n := r.Outliers(); n > 0 {
		fmt.Fprintf(w, "%s ended although others were silent for longer: for another reason, or by a timeout that few connections have\n", connections(n))
	}
	if r.Dead > 0 && r.Alive == 0 {
		fmt.Fprintln(w, "--min tries shorter ones; with --mode plain 1s is the least")
	}
	if r.SomeDead > 0 {
		fmt.Fprintln(w, "measure each server behind it at its own address; another may be stricter than those that were met")
	}
	if r.MaskUnknown && r.Dead > 0 {
		fmt.Fprintln(w, "whether the peer sent anything meanwhile is not known here: it may have kept the path alive")
	}
	profile, err := r.Profile("measured")
	if err != nil {
		return
	}
	plan, err := align.Request{Path: []align.Profile{profile}}.Plan()
	if err == nil && plan.Verdict == align.NeedsHeartbeat {
		fmt.Fprintln(w, "\na server or proxy ends connections itself; data puts that off, probes do not:")
		paths.PrintHeartbeat(w, plan.Heartbeat)
		return
	}
	fmt.Fprintf(w, "\nif probes refresh the path, which was not measured:\nkeepalive plan --path box:%s\n", duration.Format(profile.Timeout.Truncate(time.Second/10)))
	if err != nil {
		fmt.Fprintln(w, err)
		return
	}
	fmt.Fprintln(w, plan.Config)
}

// connections counts them in words.
func connections(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", n)
}

// failures counts the connections that could not be tested, and returns why the last
// could not.
func failures(r *discover.Result) (n int, last error) {
	for _, t := range r.Tests {
		if t.Err != nil {
			n, last = n+1, t.Err
		}
	}
	return n, last
}

// A discoveryRecord is the JSON of a result. null is not known.
type discoveryRecord struct {
	Known       bool     `json:"known"` // whether the rest is an answer; text says why not
	Text        string   `json:"text"`
	Alive       float64  `json:"alive_seconds"`
	Dead        *float64 `json:"dead_seconds"`
	End         *string  `json:"end"`
	SomeDead    *float64 `json:"some_dead_seconds"`  // connections disagree: some died then,
	SomeAlive   *float64 `json:"some_alive_seconds"` // others survived up to then
	MaskedBy    *float64 `json:"masked_by_seconds"`
	MaskUnknown bool     `json:"mask_unknown"`
	Connections int      `json:"connections"`
	Failed      int      `json:"failed_connections"`
	Outliers    int      `json:"outliers"`
	Took        float64  `json:"took_seconds"`
}

// discoverJSON prints a result. That the measurement ended early, or anything else that was
// said about it, means that it is no answer.
func discoverJSON(w io.Writer, r *discover.Result, ended error) error {
	failed, _ := failures(r)
	out := discoveryRecord{
		Known: r.Err() == nil && ended == nil, SomeDead: record.Seconds(r.SomeDead), SomeAlive: record.Seconds(r.SomeAlive), Failed: failed, Outliers: r.Outliers(),
		Text: r.String(), Alive: r.Alive.Seconds(), Dead: record.Seconds(r.Dead), MaskedBy: record.Seconds(r.MaskedBy),
		MaskUnknown: r.MaskUnknown, Connections: len(r.Tests), Took: r.Took.Seconds(),
	}
	if r.Dead > 0 || r.SomeDead > 0 {
		out.End = new(r.End)
	}
	return record.NewEncoder(w).Encode(out)
}
