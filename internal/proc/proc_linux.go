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

// All returns the numbers of all processes that /proc shows, in order. hides tells
// that it hides some, as it does with hidepid: process 1 always is there.
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

// WhyNot says why there is nothing to be seen of a process: it has ended and was not
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

// A reason says more than the error that it wraps, whose text would repeat it.
type reason struct {
	text string
	kind error
}

func (r *reason) Error() string { return r.text }
func (r *reason) Unwrap() error { return r.kind }

// Shows tells whether /proc shows a process. For one that ends while its links are
// read the kernel says that permission is lacking (proc_ns_get_link in
// fs/proc/namespaces.c).
func Shows(pid int) bool {
	var st unix.Stat_t
	return unix.Lstat(folder(pid), &st) == nil
}

// Hidden tells whether a process which /proc does not show exists.
func Hidden(pid int) bool {
	if pid <= 0 { // which kill takes for several processes
		return false
	}
	err := unix.Kill(pid, 0)
	return err == nil || err == unix.EPERM
}

// Gone tells that an error means that there is no such process, or none any more.
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

// Of returns the process that a thread belongs to. For all that is no thread it
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
