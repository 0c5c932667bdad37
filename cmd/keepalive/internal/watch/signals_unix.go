//go:build unix

package watch

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// deadly are the signals that end a Go program by default, including those that a fault of
// the program causes, because kill(1) can send these too. Go ignores the others (package
// os/signal), and SIGKILL cannot be caught.
var deadly = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGABRT,
	syscall.SIGILL, syscall.SIGTRAP, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV, syscall.SIGSYS,
}

// Signals that watch does something about.
type signals struct {
	stop  chan os.Signal // SIGTSTP
	again chan os.Signal // SIGCONT
	end   chan os.Signal
}

// catch restores the terminal before a signal ends the program, even while a write to the
// terminal blocks.
func catch(t *screen) *signals {
	s := &signals{make(chan os.Signal, 1), make(chan os.Signal, 1), make(chan os.Signal, 1)}
	signal.Notify(s.stop, syscall.SIGTSTP)
	signal.Notify(s.again, syscall.SIGCONT)
	notify(s.end, slices.DeleteFunc(slices.Clone(deadly), signal.Ignored)) // nohup
	go func() {
		if why, open := <-s.end; open {
			t.leaveInTime()
			dieOf(why.(syscall.Signal))
		}
	}()
	return s
}

// notify is signal.Notify, except that no signals mean none: for signal.Notify they mean all.
func notify(c chan<- os.Signal, which []os.Signal) {
	if len(which) > 0 {
		signal.Notify(c, which...)
	}
}

func (s *signals) release() {
	for _, c := range []chan os.Signal{s.stop, s.again, s.end} {
		signal.Stop(c)
	}
	close(s.end)
}

// dieOf ends the program by the signal, so that its parent sees the cause.
func dieOf(why syscall.Signal) {
	signal.Reset(why)
	syscall.Kill(os.Getpid(), why)
	time.Sleep(stuck)
	os.Exit(128 + int(why)) // a debugger or PID 1 of a container, which no signal kills
}

// stopGroup does what a terminal in cooked mode does for Ctrl-Z: it stops the whole process
// group, which includes sudo and the other programs of a pipe.
func stopGroup() { syscall.Kill(0, syscall.SIGTSTP) }

// suspended stops the program until SIGCONT. If no shell waits for the program, the kernel
// does not stop it (POSIX, orphaned process groups), and it continues immediately.
func (s *signals) suspended(t *screen) error {
	t.leave()
	stopSelf()
	select {
	case <-s.again:
	case <-time.After(stuck / 2):
	}
	signal.Notify(s.stop, syscall.SIGTSTP)
	return t.enter()
}
