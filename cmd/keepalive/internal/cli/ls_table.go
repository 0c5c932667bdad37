package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A column of the table that a person reads.
type column struct {
	title string
	right bool
	rank  int // on a narrow terminal the column with the highest goes first
	cell  func(*row) string
}

var columns = []column{
	{"STATE", false, 0, func(r *row) string { return r.State.String() }},
	{"LOCAL", false, 0, func(r *row) string { return r.Local.String() }},
	{"PEER", false, 0, func(r *row) string { return r.Peer.String() }},
	{"KEEPALIVE", false, 0, keepaliveCell},
	{"IDLE", true, 2, func(r *row) string { return r.settingCell(platform.Idle) }},
	{"INTERVAL", true, 5, func(r *row) string { return r.settingCell(platform.Interval) }},
	{"COUNT", true, 6, func(r *row) string { return r.settingCell(platform.Count) }},
	{"USER-TIMEOUT", true, 7, func(r *row) string { return r.settingCell(platform.UserTimeout) }},
	{"TIMER", false, 4, timerCell},
	{"NEXT", true, 0, nextCell},
	{"PROBES", true, 3, probesCell},
	{"PROCESS", false, 1, processCell},
}

// listTable prints the table.
func (o *lsOptions) listTable(out *bufio.Writer, stdout, stderr io.Writer) error {
	v := o.newSurvey()
	t := table{out: out, columns: o.columns(), width: widthOf(stdout)}
	for r, err := range v.rows() {
		if err != nil {
			t.flushRows()
			return err
		}
		t.add(r)
	}
	t.flush()
	if err := out.Flush(); err != nil {
		return err
	}
	if t.marks {
		fmt.Fprintln(stderr, "note: "+marksMean)
	}
	t.tellHidden(stderr)
	v.notes.print(stderr)
	return nil
}

const marksMean = "* is the system's default; on:go is 15 s, 15 s and 9, as Go sets them on its own"

// columns are those that can be filled.
func (o *lsOptions) columns() []column {
	if o.noProcess {
		return without(columns, "PROCESS")
	}
	return columns
}

const unknownCell = "?"

// keepaliveCell is on where the kernel's timer proves it.
func keepaliveCell(r *row) string {
	s := r.Settings
	switch {
	case r.State == inspect.TimeWait:
		return "-"
	case s.Known.Has(platform.KeepAlive) && !s.Enabled:
		return "off"
	case r.likeGo:
		return "on:go"
	case s.Known.Has(platform.KeepAlive), r.State == inspect.Established && r.Timer.Kind == inspect.TimerKeepAlive:
		return "on"
	}
	return unknownCell
}

func (r *row) settingCell(o platform.Option) string {
	value, known := r.Settings.Lookup(o)
	switch {
	case r.State == inspect.TimeWait:
		return "-"
	case !known:
		return unknownCell
	case o == platform.UserTimeout && value == 0:
		return "off"
	case r.isDefault.Has(o):
		return o.Format(value) + "*"
	}
	return o.Format(value)
}

func timerCell(r *row) string {
	switch r.Timer.Kind {
	case inspect.TimerUnknown:
		return unknownCell
	case inspect.TimerOff:
		return "-"
	}
	return r.Timer.Kind.String() + " " + short(r.Timer.Left)
}

func nextCell(r *row) string {
	next, err := r.NextProbe()
	switch {
	case errors.Is(err, inspect.ErrNoProbe):
		return "-"
	case errors.Is(err, sockopt.ErrUnknown):
		if r.Timer.Kind == inspect.TimerOff && r.Source == inspect.SockDiag && !r.Settings.Known.Has(platform.KeepAlive) {
			return "-"
		}
		return unknownCell
	case err != nil:
		return unknownCell
	}
	return short(next)
}

func probesCell(r *row) string {
	if r.Timer.Kind == inspect.TimerUnknown {
		return unknownCell
	}
	return fmt.Sprint(r.Timer.Unanswered)
}

func processCell(r *row) string {
	switch {
	case !r.ownersKnown:
		return unknownCell
	case len(r.owners) == 0:
		return "-"
	}
	o := r.owners[0]
	s := fmt.Sprintf("%s[%d] fd %d", printable(o.Process), o.PID, o.FD)
	if n := len(r.owners) - 1; n > 0 {
		s += fmt.Sprintf(" +%d", n)
	}
	return s
}

// printable replaces what a terminal would not show, or take for a command: a
// process may call itself anything.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// short writes a time for a table: 9.4s, 41s, 1m39s, 1h59m.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d/time.Second%60)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d/time.Minute%60)
}
