// Package peek reads the settings of sockets that other processes have open, which no
// table of the kernel shows.
package peek

import (
	"io/fs"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// ErrChanged means that a process's descriptor no longer refers to the socket that was
// asked for. It wraps [fs.ErrNotExist].
var ErrChanged error = errChanged{}

type errChanged struct{}

func (errChanged) Error() string { return "the descriptor is another socket by now" }
func (errChanged) Unwrap() error { return fs.ErrNotExist }

// A Peeker borrows each socket through pidfd_getfd, for the few microseconds that the
// getsockopt calls take, and changes nothing about it. For as long, a close of the
// other process takes no effect: its FIN waits. So that this is bounded whatever
// happens to the calling program, a child process does the borrowing, a copy of
// this one that runs nothing else: the kernel kills it after 50 ms, also while it
// is stopped. What then remains is the time until a killed process gets a
// processor, which a low priority or a CPU quota of its control group makes long.
//
// Starting the child takes 0.1 ms, and longer the more memory the calling program
// uses, as the kernel copies its page tables: ask for many sockets at a time. Where
// the machine has no memory left for that, the error wraps the errno of clone (ENOMEM).
//
// A process whose first thread has ended, while others live on, is asked through one
// of those, which takes Linux 6.9.
//
// The zero value is ready. A Peeker may not be used concurrently.
type Peeker struct{ state peekerState }

// A Descriptor is what a process has the socket open with.
type Descriptor struct{ PID, FD int }

// A Peek asks for the settings of a socket, and holds the answer.
type Peek struct {
	Inode uint32
	From  []Descriptor // they are asked one after the other until one tells

	Settings platform.Settings
	// LongestRTO is TCP_RTO_MAX_MS, the longest time between two retransmissions, of
	// which a socket may hold another value than the sysctl has now. 0 where there is
	// none (before Linux 6.15, Multipath TCP).
	LongestRTO time.Duration
	// Err is that of the descriptor which was asked last. It takes the permission to
	// trace the process: being the same user, where no security module forbids it
	// (Yama, also for one's own children), or CAP_SYS_PTRACE. Without, the error wraps
	// [fs.ErrPermission]. If the process has closed the socket meanwhile, it wraps
	// [fs.ErrNotExist]; before Linux 5.9, in a sandbox without the calls, and on other
	// systems, [errors.ErrUnsupported].
	Err error

	asked Descriptor
}

// Read answers all peeks that have a Descriptor.
func (p *Peeker) Read(peeks []Peek) {
	var batch []*Peek
	for n := 0; ; n++ {
		batch = batch[:0]
		for i := range peeks {
			if q := &peeks[i]; n < len(q.From) && (n == 0 || q.Err != nil) {
				q.asked = q.From[n]
				batch = append(batch, q)
			}
		}
		if len(batch) == 0 {
			return
		}
		p.read(batch)
	}
}

// Close gives back what the Peeker holds.
func (p *Peeker) Close() { p.close() }
