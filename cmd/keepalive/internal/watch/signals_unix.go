//go:build unix

package watch

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// deadly are the signals that end a Go program which does not want them, those
// that a fault of its own would cause included: kill(1) can send these too. Go
// ignores the others (package os/signal); SIGKILL leaves no time.
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

// catch leaves the terminal before the program dies of a signal, also while a
// write to it does not end.
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

// notify is signal.Notify, which takes none for all.
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

// dieOf lets who waits for the program see what it died of.
func dieOf(why syscall.Signal) {
	signal.Reset(why)
	syscall.Kill(os.Getpid(), why)
	time.Sleep(stuck)
	os.Exit(128 + int(why)) // a debugger or PID 1 of a container, which no signal kills
}

// stopGroup is what a terminal in cooked mode makes of Ctrl-Z: who is in front of
// this program (sudo) and behind it in a pipe stops too.
func stopGroup() { syscall.Kill(0, syscall.SIGTSTP) }

// suspended stops the program until somebody continues it. Where nobody could,
// because no shell waits for it, the kernel does not stop it (POSIX, orphaned
// process groups), and it goes on at once.
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
