package sockets

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/proc"
)

func hasHiddenFDs(pid int) bool { return proc.HasHiddenFDs(pid) }

// OfProcess returns the inodes of the TCP sockets that a process has open, in any network
// namespace. The kernel shows the protocol of each socket in an extended attribute
// (sockfs_xattr_get in net/socket.c). Descriptors that cannot be read are left out, because
// FindOwners has reported them.
func OfProcess(pid int) Missing {
	dir := proc.Folder(pid) + "/fd"
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	found := Missing{}
	var protocol [32]byte
	for _, name := range names {
		path := dir + "/" + name.Name()
		link, err := os.Readlink(path)
		var inode uint32
		if _, scanErr := fmt.Sscanf(link, "socket:[%d]", &inode); err != nil || scanErr != nil {
			continue
		}
		n, err := unix.Getxattr(path, "system.sockprotoname", protocol[:])
		if err == nil && strings.Contains(string(protocol[:n]), "TCP") {
			found[inode] = true
		}
	}
	return found
}
