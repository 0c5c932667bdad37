package inspect

import (
	"errors"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// ErrChanged means that a process's descriptor no longer refers to the socket
// it was listed with.
var ErrChanged = errors.New("the descriptor is another socket by now")

// A Peeker reads the settings of sockets that other processes have open, which
// no table shows. Its zero value is ready. It may not be used concurrently.
//
// It borrows each socket through pidfd_getfd, for the few microseconds that the
// getsockopt calls take, and changes nothing about it. For as long, a close of the
// other process takes no effect: its FIN waits. So that this is bounded whatever
// happens to the calling program, a child process does the borrowing, a copy of
// this one that runs nothing else: the kernel kills it after 50 ms, also while it
// is stopped. What then remains is the time until a killed process gets a
// processor, which a low priority or a CPU quota of its control group makes long.
//
// Starting the child takes 0.1 ms, and longer the more memory the calling program
// uses, as the kernel copies its page tables: ask for many sockets at a time, with
// [Peeker.Read]. Where the machine has no memory left for that, the error wraps the
// errno of clone (ENOMEM).
//
// A process whose first thread has ended, while others live on, is asked through one
// of those, which takes Linux 6.9.
type Peeker struct{ state peekerState }

// A Peek asks for the settings of a socket, and holds the answer.
type Peek struct {
	Owner Owner  // who has it open
	Inode uint32 // what it is

	Settings platform.Settings
	// LongestRTO is TCP_RTO_MAX_MS, the longest time between two retransmissions, of
	// which a socket may hold another value than the sysctl has now. 0 where there is
	// none (before Linux 6.15, Multipath TCP).
	LongestRTO time.Duration
	Err        error // see [Peeker.Settings]
}

// Settings reads what the kernel holds for the socket with this inode, which o
// has open.
//
// It takes the permission to trace the process: being the same user, where no
// security module forbids it (Yama, also for one's own children), or
// CAP_SYS_PTRACE. Without, the error wraps [fs.ErrPermission]. If the process has
// closed the socket meanwhile, it wraps [fs.ErrNotExist] or [ErrChanged]; before
// Linux 5.9, in a sandbox without the calls, and on other systems,
// [errors.ErrUnsupported].
func (p *Peeker) Settings(o Owner, inode uint32) (platform.Settings, error) {
	one := [1]Peek{{Owner: o, Inode: inode}}
	p.Read(one[:])
	return one[0].Settings, one[0].Err
}

// Read answers all peeks, each as [Peeker.Settings] does.
func (p *Peeker) Read(peeks []Peek) { p.read(peeks) }

// Close gives back what the Peeker holds.
func (p *Peeker) Close() { p.close() }
