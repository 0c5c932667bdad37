package inspect

import (
	"errors"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// ErrChanged means that a process's descriptor no longer refers to the socket
// it was listed with.
var ErrChanged = errors.New("the descriptor is another socket by now")

// A Peeker reads the settings of sockets that other processes have open, which
// no table shows. Its zero value is ready. It may not be used concurrently.
//
// It borrows the socket through pidfd_getfd (Linux 5.6), for the few
// microseconds that the getsockopt calls take, and changes nothing about it. For
// as long, a close of the other process takes no effect.
type Peeker struct{ pidfds pidfds }

// Settings reads what the kernel holds for the socket with this inode, which o
// has open.
//
// It takes the permission to trace the process: being the same user, where no
// security module forbids it (Yama), or CAP_SYS_PTRACE. Without, the error wraps
// [fs.ErrPermission]. If the process has closed the socket meanwhile, it wraps
// [fs.ErrNotExist] or [ErrChanged]; before Linux 5.6, in a sandbox without the
// call, and on other systems, [errors.ErrUnsupported].
func (p *Peeker) Settings(o Owner, inode uint32) (sockopt.Settings, error) {
	return p.settings(o, inode)
}

// Close gives back what the Peeker holds of processes.
func (p *Peeker) Close() { p.pidfds.close() }
