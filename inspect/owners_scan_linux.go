package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/proc"
)

// A scan is what was found in one process.
type scan struct {
	pid   int
	dir   string       // of its descriptors
	parts [][]socketFD // in the order of descriptors
	name  string

	mu     sync.Mutex // parts are scanned concurrently
	err    error      // why some descriptors, or all, could not be read
	denied int        // descriptors that may not be read
}

// note records what a worker could not read.
func (s *scan) note(err error, denied int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied += denied
	if s.err == nil {
		s.err = err
	}
}

type socketFD struct {
	inode uint32
	fd    int32
}

func (s *scan) count() int {
	n := 0
	for _, part := range s.parts {
		n += len(part)
	}
	return n
}

// A task is a part of one process's descriptors: the numbers from first to last,
// or everything from first on.
type task struct {
	scan        *scan
	part        int
	first, last int
}

const noLast = -1

// If a process has many descriptors, several workers try them by number, which
// takes half the time of listing the directory. Most programs use numbers
// without gaps; the descriptors after a gap are listed.
const (
	manyFDs    = 512
	fdsPerTask = 1024
)

// maxWorkers bounds the processors used: more would gain little, because they
// contend for the kernel's locks.
const maxWorkers = 4

// scanAll scans each process as a whole, except for those with many descriptors,
// which are split into smaller tasks for a second round.
func scanAll(pids []int) []scan {
	scans := make([]scan, len(pids))
	workers := make([]worker, max(1, min(maxWorkers, runtime.GOMAXPROCS(0), len(pids))))
	var large sync.Mutex
	var tasks []task
	share(workers, len(pids), func(w *worker, i int) {
		s := &scans[i]
		s.pid, s.dir = pids[i], "/proc/"+strconv.Itoa(pids[i])+"/fd"
		if n := w.scanWhole(s); n > 0 {
			large.Lock()
			defer large.Unlock()
			tasks = append(tasks, split(s, n)...)
		}
	})
	// Workers that scan different processes do not contend for the same locks.
	slices.SortStableFunc(tasks, func(a, b task) int { return a.part - b.part })
	if len(tasks) > len(workers) {
		workers = append(workers, make([]worker, min(maxWorkers, runtime.GOMAXPROCS(0))-len(workers))...)
	}
	share(workers, len(tasks), func(w *worker, i int) { w.scanPart(&tasks[i]) })
	return scans
}

// split divides the n descriptors of a process into tasks.
func split(s *scan, n int) (tasks []task) {
	for first := 0; first < n; first += fdsPerTask {
		tasks = append(tasks, task{s, len(tasks), first, min(first+fdsPerTask, n) - 1})
	}
	tasks = append(tasks, task{s, len(tasks), n, noLast})
	s.parts = make([][]socketFD, len(tasks))
	return tasks
}

// share distributes n jobs among the workers.
func share(workers []worker, n int, do func(w *worker, i int)) {
	var next atomic.Int64
	work := func(w *worker) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(w, i)
		}
	}
	var wg sync.WaitGroup
	for i := range workers[1:] {
		if i+1 < n {
			wg.Go(func() { work(&workers[i+1]) })
		}
	}
	work(&workers[0])
	wg.Wait()
}

// A worker reuses its buffers from process to process.
type worker struct {
	entries [8 << 10]byte
	link    [64]byte
	name    [32]byte
	found   []socketFD
	seen    int   // descriptors of any kind
	denied  int   // descriptors that may not be read
	failed  error // why others could not be read
}

func (w *worker) begin() { w.found, w.seen, w.denied, w.failed = w.found[:0], 0, 0, nil }

// scanWhole scans one process. If it has too many descriptors, scanWhole returns
// their number and does nothing else. The number is known since Linux 6.2, as
// the directory's size.
//
// If the first thread of a process has ended, /proc/PID/fd is empty and belongs
// to root (task_dump_owner in fs/proc/base.c); then the descriptors are read
// from a thread that still runs.
func (w *worker) scanWhole(s *scan) (tooMany int) {
	tooMany, err := w.scanFDs(s)
	if (err != nil || w.seen == 0 && tooMany == 0) && proc.HasThreads(s.pid) {
		s.dir = proc.Folder(s.pid) + "/fd"
		tooMany, err = w.scanFDs(s)
	}
	if errors.Is(err, fs.ErrPermission) && proc.Ended(s.pid) {
		err = nil
	}
	s.note(err, w.denied)
	if tooMany > 0 || len(w.found) > 0 {
		s.name, err = proc.Name(s.pid)
		s.note(err, 0)
	}
	if len(w.found) > 0 {
		s.parts = [][]socketFD{slices.Clone(w.found)}
	}
	return tooMany
}

func (w *worker) scanFDs(s *scan) (tooMany int, err error) {
	w.begin()
	dir, err := openFDs(s.dir)
	if err != nil {
		return 0, err
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err == nil && st.Size >= manyFDs {
		return int(st.Size), nil
	}
	if err = w.listFDs(dir); err == nil {
		err = w.failed
	}
	return 0, err
}

// scanPart runs a task. A process that has ended by now has no sockets.
func (w *worker) scanPart(t *task) {
	dir, err := openFDs(t.scan.dir)
	if err != nil {
		if !proc.Gone(err) {
			t.scan.note(err, 0)
		}
		return
	}
	defer unix.Close(dir)
	w.begin()
	if t.last == noLast {
		// The entry of fd is at position fd plus two, after "." and "..".
		if _, err = unix.Seek(dir, int64(t.first+2), 0); err == nil {
			err = w.listFDs(dir)
		}
	}
	for fd := t.first; fd <= t.last; fd++ {
		name := strconv.AppendInt(w.name[:0], int64(fd), 10)
		w.readLink(dir, append(name, 0), fd)
	}
	if err == nil {
		err = w.failed
	}
	if err != nil && proc.Gone(err) {
		err = nil
	}
	t.scan.note(err, w.denied)
	t.scan.parts[t.part] = slices.Clone(w.found)
}

// openFDs opens the directory of a process's descriptors.
func openFDs(dir string) (int, error) {
	return unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// listFDs reads the descriptors in the directory dir from its current position
// on.
func (w *worker) listFDs(dir int) error {
	for {
		n, err := unix.Getdents(dir, w.entries[:])
		if err != nil || n == 0 {
			return err
		}
		w.readEntries(dir, w.entries[:n])
	}
}

// readEntries parses records of struct linux_dirent64.
func (w *worker) readEntries(dir int, b []byte) {
	const nameAt = 19
	for len(b) > nameAt {
		size := int(b[16]) | int(b[17])<<8
		if !littleEndian {
			size = int(b[17]) | int(b[16])<<8
		}
		if size <= nameAt || size > len(b) {
			return
		}
		name := b[nameAt:size]
		b = b[size:]
		fd, end := 0, 0
		for ; name[end] >= '0' && name[end] <= '9'; end++ {
			fd = fd*10 + int(name[end]-'0')
		}
		if end > 0 && name[end] == 0 {
			w.seen++
			w.readLink(dir, name[:end+1], fd)
		}
	}
}

// readLink records the descriptor if it exists and is a socket, "socket:[123]".
// name ends with a zero byte.
func (w *worker) readLink(dir int, name []byte, fd int) {
	n, errno := readlinkat(dir, name, w.link[:])
	if errno != 0 {
		w.unreadable(dir, fd, errno)
		return
	}
	const start, end = "socket:[", "]"
	link := w.link[:n]
	if bytes.HasPrefix(link, []byte(start)) && bytes.HasSuffix(link, []byte(end)) {
		var inode uint32
		for _, c := range link[len(start) : n-len(end)] {
			inode = inode*10 + uint32(c-'0')
		}
		w.found = append(w.found, socketFD{inode, int32(fd)})
	}
}

// unreadable records why a link could not be read, unless it is gone. The kernel
// also returns EACCES for a process that has just ended (proc_pid_readlink in
// fs/proc/base.c), so the link counts as denied only if it still exists.
func (w *worker) unreadable(dir, fd int, errno unix.Errno) {
	switch errno {
	case unix.ENOENT, unix.ESRCH:
	case unix.EACCES, unix.EPERM:
		var st unix.Stat_t
		if unix.Fstatat(dir, strconv.Itoa(fd), &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
			w.denied++
		}
	default:
		if w.failed == nil {
			w.failed = fmt.Errorf("readlink of descriptor %d: %w", fd, errno)
		}
	}
}
