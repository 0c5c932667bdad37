package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// countdown is how often timers are drawn, and the size of the terminal is
// looked at.
const countdown = 200 * time.Millisecond

// onScreen shows the view on the terminal until the user quits. It takes the
// first look before it touches the terminal, so that an error is printed
// plainly.
func (o *watchOptions) onScreen(ctx context.Context, in, out *os.File) error {
	first, err := o.look()
	if err != nil {
		return err
	}
	v := newView(o)
	v.model.update(first)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	old, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("the terminal: %w", err)
	}
	defer term.Restore(int(in.Fd()), old) // also if this panics
	out.WriteString(ansi.SetModeAltScreenSaveCursor + ansi.HideCursor)
	defer out.WriteString(ansi.ShowCursor + ansi.ResetModeAltScreenSaveCursor)
	keys := make(chan keypress)
	go readKeys(in, keys) // ends with the program: nothing stops a read from a terminal
	return v.loop(ctx, keys, out)
}

// loop draws, looks again, and does what the keys say.
func (v *view) loop(ctx context.Context, keys <-chan keypress, out *os.File) error {
	look, draw := time.NewTicker(v.options.every), time.NewTicker(countdown)
	defer look.Stop()
	defer draw.Stop()
	var looked chan lookResult // of the look that is going on
	for looks := 1; looks != v.options.rounds || v.options.rounds == 0; {
		if err := show(out, v); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case k, open := <-keys:
			if !open || v.handle(k) {
				return nil
			}
		case <-look.C:
			if looked == nil && !v.paused {
				looked = v.startLook()
			}
		case r := <-looked:
			looked = nil
			looks++
			v.take(r)
		case <-draw.C:
		}
	}
	return nil
}

type lookResult struct {
	snapshot *snapshot
	err      error
}

// startLook looks beside the drawing, which a large table would hold up.
func (v *view) startLook() chan lookResult {
	c := make(chan lookResult, 1)
	go func() {
		s, err := v.options.look()
		c <- lookResult{s, err}
	}()
	return c
}

// show draws one frame in one write, which terminals that know how show at
// once. Lines are cut at the terminal's width.
func show(out *os.File, v *view) error {
	width, height, err := term.GetSize(int(out.Fd()))
	if err != nil {
		return fmt.Errorf("the terminal: %w", err)
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
	_, err = out.WriteString(b.String())
	return err
}

// errNoTerminal means that there is nobody to type keys.
var errNoTerminal = errors.New("not a terminal")

// terminals returns where keys come from and where the screen is.
func terminals(out any) (keys, screen *os.File, err error) {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil, nil, errNoTerminal
	}
	return os.Stdin, f, nil
}
