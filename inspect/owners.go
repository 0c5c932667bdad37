package inspect

import (
	"iter"
)

// An Owner is a process's descriptor that refers to a socket. A socket may have
// several owners: a server's worker processes inherit its listener.
type Owner struct {
	PID, FD int
	Process string // its name, at most 15 bytes (comm)
}

// Owners maps sockets, by inode, to their owners. It is a snapshot taken by
// [FindOwners], and may be read concurrently.
type Owners struct {
	processes []process
	entries   []ownerEntry
	last      map[uint32]int32 // from inode to index+1 of its last entry
	denied    struct{ processes, descriptors int }
	pids      []int // processes that were searched, nil for all
}

type process struct {
	pid  int
	name string
}

// An ownerEntry is one descriptor. Entries of one socket are linked, most
// recently found first.
type ownerEntry struct {
	inode   uint32
	process int32
	fd      int32
	next    int32 // index+1, 0 for none
}

// FindOwners reads the descriptors of all processes, or only of those named,
// from /proc/PID/fd. It takes about 3 µs of CPU time per descriptor, and uses up
// to four processors. The number of a thread stands for its process.
//
// Reading the descriptors of other users' processes takes CAP_SYS_PTRACE (and
// CAP_DAC_READ_SEARCH), and so does reading those of a process of the same user
// that has more privileges. Denied counts what could not be read. With pids, a
// process that does not exist or that cannot be read completely is an error that
// wraps [fs.ErrNotExist] or [fs.ErrPermission]. A process that ends in the
// meantime is not an error. On systems other than Linux the error wraps
// [errors.ErrUnsupported].
func FindOwners(pids ...int) (*Owners, error) {
	o, err := findOwners(pids)
	return o, named(err)
}

// Denied returns how many processes could not be read completely, and how many
// unreadable descriptors they are known to have. Processes that /proc hides
// (hidepid) count as one, because their number is not known.
func (o *Owners) Denied() (processes, descriptors int) {
	return o.denied.processes, o.denied.descriptors
}

// Of iterates over the owners of the socket with this inode in the order in
// which ss prints them: the last process first, and within a process the last
// descriptor first.
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

// Has reports whether the socket has a known owner.
func (o *Owners) Has(inode uint32) bool { return o.last[inode] != 0 }

// index links the entries of each socket.
func (o *Owners) index() {
	o.last = make(map[uint32]int32, len(o.entries))
	for i := range o.entries {
		e := &o.entries[i]
		e.next = o.last[e.inode]
		o.last[e.inode] = int32(i + 1)
	}
}
