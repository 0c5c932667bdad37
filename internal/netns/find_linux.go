package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/proc"
)

// namedIn is the directory where ip netns mounts named namespaces.
const namedIn = "/run/netns"

const ownPath = "/proc/thread-self/ns/net"

// own names the namespace by something that outlives this process, because the name may be
// read later.
func own() *Namespace {
	n := &Namespace{Own: true}
	var err error
	if n.Inode, err = inodeOf(ownPath); err != nil {
		return n // unknown without /proc
	}
	const path = "/proc/self/ns/net" // of the program's first thread
	if inode, err := inodeOf(path); err == nil && inode == n.Inode {
		n.paths = []string{path}
	}
	if first, err := inodeOf(pathOf(1)); err == nil && first == n.Inode {
		n.pids = []int{1}
		return n
	}
	names, _ := os.ReadDir(namedIn)
	for _, name := range names {
		if inode, err := inodeOf(filepath.Join(namedIn, name.Name())); err == nil && inode == n.Inode {
			n.named = name.Name()
		}
	}
	return n
}

// inodeOf examines the file without opening it, because opening a device may
// have an effect.
func inodeOf(path string) (uint64, error) {
	var st unix.Stat_t
	var system unix.Statfs_t
	if err := ignoringEINTR(func() error { return unix.Stat(path, &st) }); err != nil {
		return 0, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if err := ignoringEINTR(func() error { return unix.Statfs(path, &system) }); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	if int64(system.Type) != unix.NSFS_MAGIC {
		return 0, fmt.Errorf("%s %w", path, ErrNoNamespace)
	}
	return st.Ino, nil
}

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

func at(path string) (*Namespace, error) {
	n := &Namespace{paths: []string{path}}
	file, err := n.open() // it may be a namespace of another type
	if err != nil {
		return nil, err
	}
	file.Close()
	n.Own = n.Inode == own().Inode
	return n, nil
}

func find(text string) (*Namespace, error) {
	if strings.Contains(text, "/") {
		return at(text)
	}
	var err error
	if text != "" && text != "." && text != ".." {
		var n *Namespace
		if n, err = at(filepath.Join(namedIn, text)); err == nil {
			n.named = text
			return n, nil
		}
	}
	if pid, notNumber := strconv.Atoi(text); notNumber == nil && pid > 0 {
		return ofProcess(pid)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%q: no network namespace has this name in %s; a path or a process number is accepted too: %w", text, namedIn, fs.ErrNotExist)
	}
	return nil, err
}

// pathOf returns the file of the namespace of a process, or of one thread of a process.
func pathOf(pid int) string { return proc.Folder(pid) + "/ns/net" }

func ofProcess(pid int) (*Namespace, error) {
	inode, err := inodeOf(pathOf(pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && !proc.Shows(pid) {
		err = proc.WhyNot(pid) // a process that has ended is not in a namespace any more
	}
	if err != nil {
		return nil, fmt.Errorf("the network namespace of process %d: %w", pid, err)
	}
	return &Namespace{Inode: inode, Own: inode == own().Inode, pids: []int{pid}}, nil
}

// open tries all known paths until one leads to the same namespace.
func (n *Namespace) open() (*os.File, error) {
	if n.Own {
		return nil, nil
	}
	paths := n.paths
	for _, pid := range n.pids {
		paths = append(paths[:len(paths):len(paths)], pathOf(pid))
	}
	var refused error // by a path that may lead to it
	gone := fs.ErrNotExist
	for _, path := range paths {
		file, err := openSame(path, &n.Inode)
		switch {
		case err == nil:
			return file, nil
		case errors.Is(err, fs.ErrNotExist):
			gone = err
		case refused == nil:
			refused = err
		}
	}
	if refused == nil {
		refused = n.unreachable()
	}
	if refused != nil {
		return nil, refused
	}
	return nil, gone
}

// unreachable returns an error if the namespace is still mounted although no path leads to
// it, for example because another mount hides it. Then it is not gone.
func (n *Namespace) unreachable() error {
	if n.Inode == 0 {
		return nil
	}
	mounts, err := mounted()
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if m.inode == n.Inode {
			return fmt.Errorf("%s is net:[%d], but its path is hidden: %w", m.path, m.inode, fs.ErrPermission)
		}
	}
	return nil
}

// openSame opens the namespace behind path if it has this inode. An inode of 0
// matches any namespace, and is set to that of the namespace.
func openSame(path string, inode *uint64) (*os.File, error) {
	found, err := inodeOf(path)
	if *inode != 0 && errors.Is(err, ErrNoNamespace) { // only the file is left on which it was mounted
		return nil, fmt.Errorf("%w any more: %w", err, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	kind, err := unix.IoctlRetInt(int(file.Fd()), unix.NS_GET_NSTYPE)
	var st unix.Stat_t
	switch {
	case err == nil && kind != unix.CLONE_NEWNET: // before Linux 4.11 only setns detects that
		err = fmt.Errorf("%s %w, but one of another type", path, ErrNoNamespace)
	case unix.Fstat(int(file.Fd()), &st) != nil || st.Ino != found, *inode != 0 && found != *inode:
		err = fmt.Errorf("%s is another namespace by now: %w", path, fs.ErrNotExist)
	default:
		*inode = found
		return file, nil
	}
	file.Close()
	return nil, err
}
