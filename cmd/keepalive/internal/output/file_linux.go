package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// isDescriptor tells whether a symbolic link is one of /proc/PID/fd, whose text
// is no path that could be followed.
func isDescriptor(path string) bool {
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	return err == nil && strings.HasPrefix(folder, "/proc/") && filepath.Base(folder) == "fd"
}

// duplicate returns our own descriptor that path stands for, if it does: opened
// anew, a regular file would be written from its beginning, and a socket cannot
// be opened.
func duplicate(path string) (f *os.File, ok bool, err error) {
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil || folder != fmt.Sprintf("/proc/%d/fd", os.Getpid()) {
		return nil, false, nil
	}
	number, err := strconv.Atoi(filepath.Base(path))
	if err != nil {
		return nil, false, nil
	}
	fd, err := unix.FcntlInt(uintptr(number), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, true, &fs.PathError{Op: "dup", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), true, nil
}

// giveTo gives a file to the owner of the one whose place it takes. Only root
// can; others may have a file of their own there instead.
func giveTo(f *os.File, before fs.FileInfo) error {
	st, ok := before.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	err := f.Chown(int(st.Uid), int(st.Gid))
	if errors.Is(err, fs.ErrPermission) {
		err = f.Chown(-1, int(st.Gid)) // whose members may read it
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
