package peek

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/proc"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A peekerState is the state that a Peeker shares with its children.
type peekerState struct {
	shared *peekShared
	asks   recorder // the options to read from each socket
}

// start maps the memory that the children write to.
func (s *peekerState) start() error {
	if s.shared != nil {
		return nil
	}
	asks, err := questions(kernel.Current())
	if err != nil {
		return err
	}
	memory, err := unix.MmapPtr(-1, 0, nil, unsafe.Sizeof(peekShared{}), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	s.shared, s.asks = (*peekShared)(memory), asks
	return nil
}

func (p *Peeker) close() {
	if p.state.shared != nil {
		unix.MunmapPtr(unsafe.Pointer(p.state.shared), unsafe.Sizeof(peekShared{}))
	}
	p.state = peekerState{}
}

func (p *Peeker) read(peeks []*Peek) {
	self := os.Getpid()
	var batch []*Peek
	for _, q := range peeks {
		q.Settings, q.LongestRTO, q.Err = platform.Settings{}, 0, nil
		if q.asked.PID == self { // this program delays its own close anyway while it is stopped
			q.answerOwn()
			q.wrap()
			continue
		}
		batch = append(batch, q)
		if len(batch) == maxPeeks {
			p.state.ask(batch)
			batch = batch[:0]
		}
	}
	p.state.ask(batch)
}

func (q *Peek) wrap() {
	if q.Err != nil {
		q.Err = fmt.Errorf("descriptor %d of process %d: %w", q.asked.FD, q.asked.PID, q.Err)
	}
}

// ask fills in a batch. pidfd_getfd finds no descriptors in a process whose first thread
// has ended; then it is applied to another thread that still runs.
func (s *peekerState) ask(batch []*Peek) {
	s.askOf(batch, func(pid int) peekItem { return peekItem{pid: uintptr(pid)} })
	threads := map[int]int{}
	var again []*Peek
	for _, q := range batch {
		if !errors.Is(q.Err, fs.ErrNotExist) || errors.Is(q.Err, ErrChanged) { // EBADF, or ESRCH since Linux 6.9
			continue
		}
		tid, known := threads[q.asked.PID]
		if !known {
			tid = proc.Thread(q.asked.PID)
			threads[q.asked.PID] = tid
		}
		if tid != q.asked.PID {
			again = append(again, q)
		}
	}
	s.askOf(again, func(pid int) peekItem { return peekItem{pid: uintptr(threads[pid]), flags: unix.PIDFD_THREAD} })
}

// askOf runs children until the batch is filled in. A child that the kernel killed has
// mostly been starved of CPU time; the item that it was working on is repeated a few
// times. of returns the item to use for a process.
func (s *peekerState) askOf(batch []*Peek, of func(pid int) peekItem) {
	if len(batch) == 0 {
		return
	}
	slices.SortFunc(batch, func(a, b *Peek) int { return a.asked.PID - b.asked.PID }) // each process is opened once
	err := s.start()
	if err == nil {
		for i, q := range batch {
			s.shared.items[i] = of(q.asked.PID)
			s.shared.items[i].fd = uintptr(q.asked.FD)
		}
		s.shared.count, s.shared.next = int32(len(batch)), 0
		s.shared.asked = int32(s.asks.n)
		s.shared.asks = s.asks.asks
		const attempts = 5
		for failures := 0; err == nil && int(s.shared.next) < len(batch); {
			before := s.shared.next
			if err = s.shared.run(); s.shared.next > before {
				failures = 0
				continue
			}
			if failures++; err == nil && failures == attempts {
				err = fmt.Errorf("the child process that reads the settings was killed %d times before it finished: the machine is overloaded, or out of memory", failures)
			}
		}
	}
	for i, q := range batch {
		switch {
		case s.shared != nil && i < int(s.shared.next):
			q.Err = nil
			q.decode(&s.asks, &s.shared.items[i])
		default:
			q.Err = err
		}
		q.wrap()
	}
}

// decode evaluates the results of the child as if they had been read here.
func (q *Peek) decode(asks *recorder, i *peekItem) {
	switch errno := unix.Errno(i.errno); i.stage {
	case stageOpen:
		if i.flags != 0 && errno == unix.EINVAL {
			q.Err = fmt.Errorf("its first thread has ended, and borrowing from another thread takes Linux 6.9: %w", errors.ErrUnsupported)
			return
		}
		q.Err = fmt.Errorf("pidfd_open: %w", notFoundIs(errno))
	case stageBorrow:
		q.Err = fmt.Errorf("pidfd_getfd: %w", notFoundIs(errno))
	case stageStat:
		q.Err = fmt.Errorf("statx: %w", errno)
	default:
		asks.answers = &i.answers
		q.answer(asks, 0, i.inode, i.mode)
	}
}

// answer reads the settings of the descriptor if it is the requested TCP socket.
func (q *Peek) answer(k kernel.Kernel, fd uintptr, inode uint64, mode uint16) {
	if uint32(inode) != q.Inode || mode&unix.S_IFMT != unix.S_IFSOCK {
		q.Err = ErrChanged
		return
	}
	kind, err := kernel.KindOf(k, fd)
	switch {
	case err != nil:
		q.Err = err
	case kind == kernel.NotTCP:
		q.Err = errors.Join(ErrChanged, socket.ErrNotTCP)
	default:
		q.Settings, q.Err = kernel.Current().Read(k, fd)
		q.LongestRTO = longestRTO(k, fd)
	}
}

func longestRTO(k kernel.Kernel, fd uintptr) time.Duration {
	const tcpRTOMaxMS = 44 // TCP_RTO_MAX_MS of linux/tcp.h
	ms, err := k.Get(fd, unix.IPPROTO_TCP, tcpRTOMaxMS)
	if err != nil {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// answerOwn reads from a descriptor of this program. It is duplicated, so that it refers
// to the same socket throughout.
func (q *Peek) answerOwn() {
	fd, err := unix.FcntlInt(uintptr(q.asked.FD), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		q.Err = fmt.Errorf("fcntl F_DUPFD_CLOEXEC: %w", notFoundIs(err))
		return
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if q.Err = unix.Fstat(fd, &st); q.Err == nil {
		q.answer(kernel.System(), uintptr(fd), st.Ino, uint16(st.Mode))
	}
}

// notFoundIs makes the error of a process or descriptor that is gone wrap
// fs.ErrNotExist.
func notFoundIs(err error) error {
	if err == unix.ESRCH || err == unix.EBADF {
		return fmt.Errorf("%w (%w)", fs.ErrNotExist, err)
	}
	return err
}
