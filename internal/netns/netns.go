// Package netns finds network namespaces, and runs functions in them (Linux).
package netns

import (
	"errors"
	"os"
	"strconv"
)

var (
	// ErrNoNamespace means that a file exists but is not a network namespace.
	ErrNoNamespace = errors.New("is not a network namespace")

	// ErrNotEntered means that Do has not run its function.
	ErrNotEntered = errors.New("the network namespace was not entered")
)

// A Namespace is a network namespace, and where it was found. It may no longer
// exist.
type Namespace struct {
	Inode uint64 // of its file, the number in net:[4026531840]; 0 if unknown
	Own   bool   // the calling thread was in it when it was found

	named string   // in /run/netns, or the path of another mount
	pids  []int    // of processes that are in it
	paths []string // of files
}

// String returns a text by which Find finds the namespace: its name, a path, or
// the number of a process in it.
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

// Own returns the network namespace of the calling thread. If /proc does not show it, its
// Inode is 0 and its String "?".
func Own() *Namespace { return own() }

// Find finds the namespace with this name (/run/netns/NAME, as ip netns creates
// it), the one at this path, or that of the process with this number, in this
// order. The error wraps fs.ErrNotExist, fs.ErrPermission or ErrNoNamespace.
func Find(text string) (*Namespace, error) { return find(text) }

// OfProcess returns the namespace of a process, or of one thread of a process.
// The error wraps fs.ErrPermission, or fs.ErrNotExist, also for a process that
// has ended and was not waited for.
func OfProcess(pid int) (*Namespace, error) { return ofProcess(pid) }

// All returns the namespaces of all processes and those that are mounted, starting with
// that of the calling thread. denied has an error that wraps fs.ErrPermission for each
// process whose namespace may not be read, and one for all processes that /proc hides
// (hidepid).
func All() (found []*Namespace, denied []error, err error) { return all() }

// Open opens the namespace's file, which keeps the namespace alive. The file is
// nil for the calling thread's namespace, which need not be entered. The error
// wraps fs.ErrNotExist if it is gone, or fs.ErrPermission.
func (n *Namespace) Open() (*os.File, error) { return n.open() }

// Do runs f on a thread in the namespace; the thread ends afterwards. A nil file
// stands for the calling thread's namespace: f then runs on that thread. Sockets
// that f creates and files of /proc/thread-self/net that it opens stay in the
// namespace; goroutines that f starts do not run in it.
//
// It takes CAP_SYS_ADMIN, here and in the user namespace that owns the network
// namespace; otherwise the error wraps fs.ErrPermission.
func Do(file *os.File, f func() error) error {
	if file == nil {
		return f()
	}
	return do(file, f)
}

// OnThread runs f on a thread that ends afterwards, so that f may move it to other
// namespaces. It is never the program's first thread, because /proc/self shows the
// namespaces of that thread.
func OnThread(f func() error) error { return onThread(f) }
