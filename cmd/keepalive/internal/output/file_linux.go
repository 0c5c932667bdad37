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

// isDescriptor reports whether a symbolic link is one of /proc/PID/fd, whose text is not a
// path.
func isDescriptor(path string) bool {
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	return err == nil && strings.HasPrefix(folder, "/proc/") && filepath.Base(folder) == "fd"
}

// duplicate returns a duplicate of the descriptor of this process that path stands for, if
// there is one. Opening path instead would write a regular file from its beginning, and
// would fail for a socket.
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

// giveTo gives a file the owner of the file that it replaces. Only root can do that; the new
// file of any other user belongs to that user.
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
