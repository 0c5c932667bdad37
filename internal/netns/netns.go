// Package netns finds network namespaces, and runs functions in them (Linux).
package netns

import (
	"errors"
	"os"
	"strconv"
)

var (
	// ErrNoNamespace means that a file is there, and is no network namespace.
	ErrNoNamespace = errors.New("is no network namespace")

	// ErrNotEntered is what Do returns when it has not run anything.
	ErrNotEntered = errors.New("the network namespace was not entered")
)

// A Namespace is a network namespace, and where it was found. It may be gone
// meanwhile.
type Namespace struct {
	Inode uint64 // of its file, the number in net:[4026531840]; 0: unknown
	Own   bool   // the calling thread was in it when it was found

	named string   // in /run/netns, or the path of another mount
	pids  []int    // of processes that are in it
	paths []string // of files
}

// String is what Find finds it by: its name, a path, or the number of a process
// that is in it.
func (n *Namespace) String() string {
	switch {
	case n.named != "":
		return n.named
	case len(n.pids) > 0:
		return strconv.Itoa(n.pids[0])
	case len(n.paths) > 0:
		return n.paths[0]
	}
	return "?"
}

// Own is the network namespace of the calling thread. Its Inode is 0, and its String
// "?", where /proc does not show it.
func Own() *Namespace { return own() }

// Find finds the namespace with this name (/run/netns/NAME, as ip netns has it),
// behind this path, or in which the process with this number is, in this order.
// The error wraps fs.ErrNotExist, fs.ErrPermission or ErrNoNamespace.
func Find(text string) (*Namespace, error) { return find(text) }

// OfProcess is the namespace that a process, or one thread of a process, is in.
// The error wraps fs.ErrNotExist, also for one that has ended and was not waited
// for, or fs.ErrPermission.
func OfProcess(pid int) (*Namespace, error) { return ofProcess(pid) }

// All finds the namespaces that processes are in, and those that are mounted, the
// calling thread's first. denied has an error, which wraps fs.ErrPermission, for each
// process that does not let its own be seen, and one for all that /proc hides (hidepid).
func All() (found []*Namespace, denied []error, err error) { return all() }

// Open opens the namespace's file, which keeps it from going away. It is nil for
// the calling thread's own, which nobody has to enter. The error wraps
// fs.ErrNotExist if it is gone, or fs.ErrPermission.
func (n *Namespace) Open() (*os.File, error) { return n.open() }

// Do runs f on a thread in the namespace, which ends afterwards. A nil file is
// the calling thread's own: f runs right there. Sockets that f makes and files of
// /proc/thread-self/net that it opens stay in the namespace, whoever uses them;
// goroutines that it starts are not in it.
//
// It takes CAP_SYS_ADMIN, here and in the user namespace that owns the network
// namespace; without, the error wraps fs.ErrPermission.
func Do(file *os.File, f func() error) error {
	if file == nil {
		return f()
	}
	return do(file, f)
}

// OnThread runs f on a thread that ends afterwards, whatever namespaces f moved it to;
// it is never the program's first, whose namespaces /proc/self shows.
func OnThread(f func() error) error { return onThread(f) }
