package proc

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// All returns the numbers of all processes that /proc shows, in order. hides
// reports whether /proc hides processes (mount option hidepid), which shows in
// process 1 being absent.
func All() (pids []int, hides bool, err error) {
	if pids, err = numbersIn("/proc"); err != nil {
		return nil, false, err
	}
	return pids, len(pids) == 0 || pids[0] != 1, nil
}

func numbersIn(dir string) ([]int, error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names, err := file.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	numbers := make([]int, 0, len(names))
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// WhyNot returns the reason why nothing can be read of a process: it has ended and was not
// waited for, /proc hides it (hidepid), or it does not exist. The error wraps
// fs.ErrNotExist or fs.ErrPermission.
func WhyNot(pid int) error {
	switch {
	case Shows(pid):
		return &reason{"it has ended", fs.ErrNotExist}
	case Hidden(pid):
		return &reason{"/proc hides it", fs.ErrPermission}
	}
	return &reason{"there is no such process", fs.ErrNotExist}
}

// A reason wraps an error but omits its text, which would only repeat the
// reason.
type reason struct {
	text string
	kind error
}

func (r *reason) Error() string { return r.text }
func (r *reason) Unwrap() error { return r.kind }

// Shows reports whether /proc shows a process. If a process ends while its links
// are read, the kernel returns a permission error (proc_ns_get_link in
// fs/proc/namespaces.c).
func Shows(pid int) bool {
	var st unix.Stat_t
	return unix.Lstat(folder(pid), &st) == nil
}

// Hidden reports whether a process that /proc does not show exists.
func Hidden(pid int) bool {
	if pid <= 0 { // kill would signal several processes
		return false
	}
	err := unix.Kill(pid, 0)
	return err == nil || err == unix.EPERM
}

// Gone reports whether an error means that the process does not exist, or not
// any more.
func Gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// Name returns the name of a process, at most 15 bytes (comm). It is "" for one that
// has just ended.
func Name(pid int) (string, error) {
	name, err := os.ReadFile(folder(pid) + "/comm")
	if err != nil && !Gone(err) {
		return "", err
	}
	return string(bytes.TrimSuffix(name, []byte("\n"))), nil
}

// Of returns the process to which a thread belongs. For any other number it
// returns the number itself.
func Of(tid int) int {
	status, err := os.ReadFile(folder(tid) + "/status")
	if err != nil {
		return tid
	}
	for line := range bytes.Lines(status) {
		if text, ok := bytes.CutPrefix(line, []byte("Tgid:")); ok {
			if pid, err := strconv.Atoi(string(bytes.TrimSpace(text))); err == nil && pid > 0 {
				return pid
			}
		}
	}
	return tid
}

func folder(pid int) string { return "/proc/" + strconv.Itoa(pid) }
