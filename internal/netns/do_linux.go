package netns

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// errExited is returned if f ended its goroutine, as a test's t.FailNow does.
var errExited = errors.New("the function called runtime.Goexit and has not returned")

// onThread runs f on a thread that stays locked, so that the thread ends with
// its goroutine and no other goroutine ever runs in the namespaces of f. The
// program's first thread never ends, and /proc/self shows its namespaces as
// those of the program. If the goroutine runs on it, that thread is kept locked
// while another thread runs f.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			done <- onThread(f)
			runtime.UnlockOSThread()
			return
		}
		err := errExited
		defer func() { done <- err }()
		err = f()
	}()
	return <-done
}

func do(file *os.File, f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			why := fmt.Errorf("%w: setns to %s: %w", ErrNotEntered, file.Name(), err)
			if err == unix.EPERM {
				why = fmt.Errorf("%w; this takes CAP_SYS_ADMIN, here and in the user namespace that owns it", why)
			}
			return why
		}
		runtime.KeepAlive(file)
		return f()
	})
}
