package netns

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/proc"
)

func all() (found []*Namespace, denied []error, err error) {
	mine := own()
	mine.pids = nil
	found = append(found, mine)
	byInode := map[uint64]*Namespace{mine.Inode: mine}
	get := func(inode uint64) *Namespace {
		n := byInode[inode]
		if n == nil {
			n = &Namespace{Inode: inode}
			byInode[inode] = n
			found = append(found, n)
		}
		return n
	}
	mounts, err := mounted()
	if err != nil {
		return nil, nil, err
	}
	for _, m := range mounts {
		n := get(m.inode)
		n.paths = append(n.paths, m.path)
		if dir, name := filepath.Split(m.path); n.named == "" || filepath.Clean(dir) == namedIn {
			n.named = m.path
			if filepath.Clean(dir) == namedIn {
				n.named = name
			}
		}
	}
	pids, hides, err := proc.All()
	if err != nil {
		return nil, nil, err
	}
	if hides {
		denied = append(denied, fmt.Errorf("/proc hides processes (mount option hidepid): %w", fs.ErrPermission))
	}
	for _, pid := range pids {
		link, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/net")
		if err != nil && proc.HasThreads(pid) {
			link, err = os.Readlink(pathOf(pid))
		}
		switch {
		case proc.Gone(err): // it has ended
		case errors.Is(err, fs.ErrPermission) && !proc.Shows(pid):
		case errors.Is(err, fs.ErrPermission):
			denied = append(denied, err)
		case err != nil:
			return nil, nil, err
		default:
			if inode, ok := inodeIn(link); ok {
				n := get(inode)
				n.pids = append(n.pids, pid)
				for tid, other := range threadsElsewhere(pid, inode) {
					n := get(other)
					n.pids = append(n.pids, tid)
				}
			}
		}
	}
	return found, denied, nil
}

// threadsElsewhere finds the threads of a process that are in a namespace other than that
// of its first thread, each with the inode of its namespace. That happens for a while in
// container runtimes. The threads of this program are skipped: it has entered those
// namespaces itself.
func threadsElsewhere(pid int, first uint64) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		if pid == os.Getpid() || !proc.HasThreads(pid) {
			return
		}
		for _, tid := range proc.Threads(pid) {
			link, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(tid) + "/ns/net")
			if err != nil {
				continue // it has ended, or the other threads may not be read either
			}
			if inode, ok := inodeIn(link); ok && inode != first && !yield(tid, inode) {
				return
			}
		}
	}
}

func inodeIn(link string) (uint64, bool) {
	text, ok := strings.CutPrefix(link, "net:[")
	text, end := strings.CutSuffix(text, "]")
	inode, err := strconv.ParseUint(text, 10, 64)
	return inode, ok && end && err == nil
}

type mount struct {
	inode uint64
	path  string
}

// mounted finds the namespaces that are mounted somewhere: /run/netns of ip
// netns, /run/docker/netns and the like. A line of mountinfo is
//
//	36 35 0:4 net:[4026532281] /run/netns/blue rw shared:1 - nsfs nsfs rw
func mounted() (found []mount, err error) {
	file, err := os.Open("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 5 {
			continue
		}
		if inode, ok := inodeIn(f[3]); ok {
			found = append(found, mount{inode, unescape(f[4])})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	return found, nil
}

// unescape undoes mangle_path of the kernel: "\040" is a space.
func unescape(path string) string {
	return escapes.Replace(path)
}

var escapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
