package watch

import (
	"context"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// countdown is the interval at which timers are drawn and the size of the terminal is read.
const countdown = 200 * time.Millisecond

// onScreen shows the view on the terminal until the user quits. It takes the first snapshot
// before it changes the mode of the terminal, so that an error is printed as usual.
func (o *options) onScreen(ctx context.Context, t *screen) error {
	first, err := takeSnapshot(&o.Query)
	if err != nil {
		return err
	}
	v := newView(o)
	v.model.update(first)
	s := catch(t)
	defer s.release()
	defer t.leave() // also if this panics, or a write fails
	if err := t.enter(); err != nil {
		return err
	}
	keys := make(chan keypress)
	go func() { // ends with the program: nothing stops a read from a terminal
		defer t.leaveOnPanic()
		readKeys(t.in, keys)
	}()
	if err := v.loop(ctx, keys, s, t); err != nil {
		return err
	}
	return v.model.notes.Result(&o.Selection) // of the last look
}

// loop draws the view, takes new snapshots, and handles keys and signals.
func (v *view) loop(ctx context.Context, keys <-chan keypress, s *signals, t *screen) error {
	look, draw := time.NewTicker(v.options.every), time.NewTicker(countdown)
	defer look.Stop()
	defer draw.Stop()
	var looked chan lookResult // of the look that is going on
	for looks := 1; looks != v.options.rounds || v.options.rounds == 0; {
		if err := v.show(t); err != nil {
			return err
		}
		var err error
		select {
		case <-ctx.Done():
			return nil
		case k, open := <-keys:
			switch {
			case !open:
				return nil
			case k == keyStop:
				stopGroup()
			case v.handle(k):
				return nil
			}
		case <-s.stop:
			err = s.suspended(t)
		case <-s.again:
			err = t.enterAgain()
		case <-look.C:
			if looked == nil && !v.paused {
				looked = v.startLook(t)
			}
		case r := <-looked:
			looked = nil
			looks++
			v.take(r)
		case <-draw.C:
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type lookResult struct {
	snapshot *snapshot
	err      error
}

// startLook takes a snapshot in a separate goroutine, because a large table would delay the
// drawing.
func (v *view) startLook(t *screen) chan lookResult {
	c := make(chan lookResult, 1)
	go func() {
		defer t.leaveOnPanic()
		s, err := takeSnapshot(&v.options.Query)
		c <- lookResult{s, err}
	}()
	return c
}

// show draws a frame in one write, as a synchronized update for terminals that support it.
// Lines are cut at the terminal's width.
func (v *view) show(t *screen) error {
	width, height, err := t.size()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(ansi.SetModeSynchronizedOutput + ansi.CursorHomePosition)
	for i, line := range v.frame(time.Now(), width, height) {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(ansi.Truncate(line, width, "") + ansi.EraseLineRight)
	}
	b.WriteString(ansi.EraseScreenBelow + ansi.ResetModeSynchronizedOutput)
	return t.write(b.String())
}
