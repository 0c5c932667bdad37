package sockets

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/proc"
)

func hasHiddenFDs(pid int) bool { return proc.HasHiddenFDs(pid) }

// OfProcess are the inodes of the TCP sockets that a process has open, whatever
// namespace they are of: the kernel tells the protocol of each
// (sockfs_xattr_get in net/socket.c). FindOwners has reported what cannot be read.
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
