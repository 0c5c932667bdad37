package enforce

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// CgroupMount returns the directory where cgroup v2 is mounted, which is not the same
// everywhere: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside cgroup v1. The error wraps
// [fs.ErrNotExist] if it is not mounted.
func CgroupMount() (string, error) {
	dir, err := mountOf("cgroup2")
	if err == nil && dir == "" {
		err = fmt.Errorf("cgroup v2 is not mounted: %w", fs.ErrNotExist)
	}
	return dir, named(err)
}

// DefaultDir returns the directory for pins in the BPF file system that is mounted. The
// error wraps [fs.ErrNotExist] if there is none, and says how to mount it.
func DefaultDir() (string, error) {
	dir, err := mountOf("bpf")
	if err == nil && dir == "" {
		err = fmt.Errorf("no BPF file system is mounted, which keeps policies: mount -t bpf bpf /sys/fs/bpf (%w)", fs.ErrNotExist)
	}
	if err != nil {
		return "", named(err)
	}
	return filepath.Join(dir, "keepalive"), nil
}

// mountOf returns where a file system of this type is mounted, "" if it is not. One that is
// mounted whole comes first: a container may have a bind mount of a part.
func mountOf(fstype string) (string, error) {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	defer mounts.Close()
	part := ""
	lines := bufio.NewScanner(mounts)
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(before)
		if kind := strings.Fields(after); len(fields) < 5 || len(kind) == 0 || kind[0] != fstype {
			continue
		}
		dir := unescape(fields[4])
		if fields[3] == "/" {
			return dir, nil
		}
		if part == "" {
			part = dir
		}
	}
	return part, lines.Err()
}

// unescape undoes what the kernel does to white space in a path.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// A cgroup is an open control group.
type cgroup struct {
	*os.File
	id uint64
}

// openCgroup opens the directory of a control group.
func openCgroup(dir string) (cgroup, error) {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return cgroup{}, fmt.Errorf("there is no control group %s: %w", dir, err)
	}
	if err != nil {
		return cgroup{}, err
	}
	var st unix.Statfs_t
	if err = unix.Fstatfs(int(f.Fd()), &st); err == nil && st.Type != unix.CGROUP2_SUPER_MAGIC {
		err = fmt.Errorf("%s is not a control group of cgroup v2%s", dir, hintOfMount())
	}
	if err != nil {
		f.Close()
		return cgroup{}, err
	}
	handle, _, err := unix.NameToHandleAt(int(f.Fd()), "", unix.AT_EMPTY_PATH)
	if err != nil || handle.Size() != 8 {
		f.Close()
		return cgroup{}, fmt.Errorf("the number of control group %s: name_to_handle_at: %w", dir, err)
	}
	return cgroup{f, binary.NativeEndian.Uint64(handle.Bytes())}, nil
}

func hintOfMount() string {
	if dir, err := CgroupMount(); err == nil {
		return ", which is mounted at " + dir
	}
	return ", which is not mounted here"
}
