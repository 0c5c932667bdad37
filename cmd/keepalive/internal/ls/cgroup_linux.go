package ls

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroups names cgroups of version 2 by their number, as ss does: by opening
// what the number is a handle of, which takes CAP_DAC_READ_SEARCH.
type cgroups struct {
	names map[uint64]string
	mount string
	root  int
}

const fileIDKernfs = 0xfe // FILEID_KERNFS of linux/exportfs.h

func (c *cgroups) path(id uint64) string {
	if name, ok := c.names[id]; ok {
		return name
	}
	if c.names == nil {
		c.names = map[uint64]string{}
		c.mount = mountOfCgroup2()
		c.root = -1
		if fd, err := unix.Open(c.mount, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
			c.root = fd // for as long as the program runs
		}
	}
	name, ok := c.open(id)
	if !ok {
		name = fmt.Sprintf("unreachable:%x", id)
	}
	c.names[id] = name
	return name
}

func (c *cgroups) open(id uint64) (name string, ok bool) {
	handle := unix.NewFileHandle(fileIDKernfs, binary.NativeEndian.AppendUint64(nil, id))
	fd, err := unix.OpenByHandleAt(c.root, handle, unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		return "", false
	}
	defer unix.Close(fd)
	full, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil || !strings.HasPrefix(full, c.mount) {
		return "", false
	}
	if name = strings.TrimPrefix(full, c.mount); name == "" {
		name = "/"
	}
	return name, true
}

func mountOfCgroup2() string {
	mounts, err := os.Open("/proc/mounts")
	if err != nil {
		return ""
	}
	defer mounts.Close()
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	return ""
}
