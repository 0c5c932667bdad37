package watch

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// A screen is a terminal. Between enter and leave it is in raw mode, and shows the alternate
// screen.
type screen struct {
	in, out *os.File

	before atomic.Pointer[term.State] // of in; nil outside
	mu     sync.Mutex                 // held while something is written
}

func (t *screen) enter() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return fmt.Errorf("the terminal: %w", err)
	}
	t.before.Store(before)
	_, err = t.out.WriteString(ansi.SetModeAltScreenSaveCursor + ansi.HideCursor)
	return err
}

// enterAgain restores the mode after another program may have changed it, such as a shell
// while this program was stopped by SIGSTOP.
func (t *screen) enterAgain() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before.Load() == nil {
		return nil
	}
	if _, err := term.MakeRaw(int(t.in.Fd())); err != nil {
		return fmt.Errorf("the terminal: %w", err)
	}
	_, err := t.out.WriteString(ansi.SetModeAltScreenSaveCursor + ansi.HideCursor)
	return err
}

// stuck is the longest time to wait for a write to the terminal. A terminal whose output is
// stopped may block a write forever.
const stuck = time.Second

// leave restores the terminal, once. It restores the mode first, because that needs no
// output.
func (t *screen) leave() {
	before := t.before.Swap(nil)
	if before == nil {
		return
	}
	term.Restore(int(t.in.Fd()), before)
	for end := time.Now().Add(stuck); !t.mu.TryLock(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return
		}
	}
	defer t.mu.Unlock()
	t.out.WriteString(ansi.ShowCursor + ansi.ResetModeAltScreenSaveCursor)
}

// leaveInTime is leave, but does not wait longer than stuck for a terminal that takes no
// output.
func (t *screen) leaveInTime() {
	left := make(chan struct{})
	go func() {
		t.leave()
		close(left)
	}()
	select {
	case <-left:
	case <-time.After(2 * stuck):
	}
}

// leaveOnPanic is deferred by each goroutine except the one that calls leave anyway, so that
// the panic can be read and the terminal works afterwards.
func (t *screen) leaveOnPanic() {
	if why := recover(); why != nil {
		t.leave()
		panic(why)
	}
}

// write writes to the terminal, unless leave was called.
func (t *screen) write(s string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before.Load() == nil {
		return nil
	}
	_, err := t.out.WriteString(s)
	return err
}

func (t *screen) size() (width, height int, err error) {
	if width, height, err = term.GetSize(int(t.out.Fd())); err != nil {
		return 0, 0, fmt.Errorf("the terminal: %w", err)
	}
	return width, height, nil
}

// errNoTerminal means that standard input or standard output is not a terminal.
var errNoTerminal = errors.New("not a terminal")

// screenOf returns the screen of the terminal that stdout writes to and that keys come from.
func screenOf(out any) (*screen, error) {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil, errNoTerminal
	}
	return &screen{in: os.Stdin, out: f}, nil
}
