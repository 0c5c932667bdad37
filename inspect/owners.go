package inspect

import (
	"iter"
)

// An Owner is a descriptor of a process that refers to a socket. A socket may
// have several: a server's worker processes inherit its listener.
type Owner struct {
	PID, FD int
	Process string // its name, at most 15 bytes (comm)
}

// Owners maps sockets, by inode, to those who have them open. It is a picture
// taken by [FindOwners], and may be read concurrently.
type Owners struct {
	processes []process
	entries   []ownerEntry
	last      map[uint32]int32 // by inode: index+1 of its last entry
	denied    struct{ processes, descriptors int }
	pids      []int // that were looked at, nil for all
}

type process struct {
	pid  int
	name string
}

// An ownerEntry is one descriptor. Entries of one socket are chained, the last
// found first.
type ownerEntry struct {
	inode   uint32
	process int32
	fd      int32
	next    int32 // index+1, 0 for none
}

// FindOwners looks at the descriptors of all processes, or only of those named,
// by reading /proc/PID/fd. It takes a processor for about 3 µs per descriptor,
// and uses up to four. A number that is that of a thread stands for its process.
//
// Descriptors of other users' processes take CAP_SYS_PTRACE (and
// CAP_DAC_READ_SEARCH); so do those of one's own that have more privileges. What
// may not be looked at is counted in Denied. With pids, a process that does not
// exist, or of which something may not be looked at, is an error that wraps
// [fs.ErrNotExist] or [fs.ErrPermission]. Processes that end meanwhile are no
// error. On other systems than Linux the error wraps [errors.ErrUnsupported].
func FindOwners(pids ...int) (*Owners, error) { return findOwners(pids) }

// Denied is how many processes could not be looked at, or not at all of their
// descriptors, and how many descriptors of those are known to be there. Processes
// that /proc hides (hidepid) count as one: their number is not known.
func (o *Owners) Denied() (processes, descriptors int) {
	return o.denied.processes, o.denied.descriptors
}

// Of goes through those who have the socket with this inode open, in the order
// in which ss prints them: the last process first, of one process its last
// descriptor.
func (o *Owners) Of(inode uint32) iter.Seq[Owner] {
	return func(yield func(Owner) bool) {
		for at := o.last[inode]; at != 0; {
			e := &o.entries[at-1]
			p := &o.processes[e.process]
			if !yield(Owner{p.pid, int(e.fd), p.name}) {
				return
			}
			at = e.next
		}
	}
}

// Has reports whether anybody known has the socket open.
func (o *Owners) Has(inode uint32) bool { return o.last[inode] != 0 }

// index chains the entries of each socket.
func (o *Owners) index() {
	o.last = make(map[uint32]int32, len(o.entries))
	for i := range o.entries {
		e := &o.entries[i]
		e.next = o.last[e.inode]
		o.last[e.inode] = int32(i + 1)
	}
}
