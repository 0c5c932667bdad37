package netns

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// errExited is what a test's t.FailNow leaves behind, which ends its goroutine.
var errExited = errors.New("the function called runtime.Goexit and has not returned")

// onThread runs f on a thread that stays locked, so it ends with its goroutine and
// no other one ever runs where f went. The program's first thread never ends, and
// /proc/self shows its namespaces as the program's: where that is the one at hand,
// it is held while another does the work.
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
				why = fmt.Errorf("%w; it takes CAP_SYS_ADMIN, here and in the user namespace that owns it", why)
			}
			return why
		}
		runtime.KeepAlive(file)
		return f()
	})
}
