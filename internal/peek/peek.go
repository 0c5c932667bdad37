// Package peek reads the settings of sockets that other processes have open. No table of
// the kernel shows them.
package peek

import (
	"errors"
	"io/fs"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// ErrChanged means that a process's descriptor no longer refers to the requested socket.
// It wraps [fs.ErrNotExist].
var ErrChanged error = errChanged{}

type errChanged struct{}

func (errChanged) Error() string { return "the descriptor is another socket by now" }
func (errChanged) Unwrap() error { return fs.ErrNotExist }

// A Peeker borrows each socket through pidfd_getfd, for the few microseconds that the
// getsockopt calls take, and does not change it. During that time a close by the other
// process takes no effect: its FIN waits. To bound this whatever happens to the calling
// program, the borrowing is done by a child process, a copy of this program that does
// nothing else: the kernel kills it after 50 ms, even while it is stopped. A killed
// process still has to be scheduled once before its descriptors are closed, which takes
// longer with a low priority or under a CPU quota of its control group.
//
// Starting the child takes 0.1 ms, and longer the more memory the calling program uses,
// because the kernel copies its page tables: read many sockets at a time. If the machine
// lacks the memory for that, the error wraps the errno of clone (ENOMEM).
//
// If the first thread of a process has ended while others still run, the socket is
// borrowed through another thread, which takes Linux 6.9.
//
// The zero value is ready to use. A Peeker is not safe for concurrent use.
type Peeker struct{ state peekerState }

// A Descriptor is a process's descriptor that refers to the socket.
type Descriptor struct{ PID, FD int }

// A Peek is a request for the settings of a socket, and its result.
type Peek struct {
	Inode uint32
	From  []Descriptor // they are tried in order until one works

	Settings platform.Settings
	// LongestRTO is TCP_RTO_MAX_MS, the longest time between two retransmissions. A socket
	// may hold another value than the sysctl has now. It is 0 if the option does not exist
	// (before Linux 6.15, Multipath TCP).
	LongestRTO time.Duration
	// Err is the error of the descriptor that was tried last, or that permission is
	// lacking if that was the error of any. Reading needs permission to
	// trace the process: being the same user, unless a security module forbids it (Yama
	// does, even for child processes), or CAP_SYS_PTRACE. Without permission the error
	// wraps [fs.ErrPermission]. If the process has closed the socket in the meantime, it
	// wraps [fs.ErrNotExist]; before Linux 5.9, in a sandbox without the system calls, and
	// on other systems, it wraps [errors.ErrUnsupported].
	Err error

	asked  Descriptor
	denied error // of one before: what could be known with permission
}

// Read fills in all peeks that have a Descriptor.
func (p *Peeker) Read(peeks []Peek) {
	var batch []*Peek
	for n := 0; ; n++ {
		batch = batch[:0]
		for i := range peeks {
			if q := &peeks[i]; n < len(q.From) && (n == 0 || q.Err != nil) {
				if n > 0 && errors.Is(q.Err, fs.ErrPermission) {
					q.denied = q.Err
				}
				q.asked = q.From[n]
				batch = append(batch, q)
			}
		}
		if len(batch) == 0 {
			break
		}
		p.read(batch)
	}
	for i := range peeks {
		if q := &peeks[i]; q.Err != nil && q.denied != nil {
			q.Err = q.denied
		}
	}
}

// Close releases the resources of the Peeker.
func (p *Peeker) Close() { p.close() }
