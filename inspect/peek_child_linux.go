package inspect

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	maxPeeks = 1024 // at a time: 4 ms on a machine that has nothing else to do
	maxAsked = 10   // options of each

	// lifetime is when the kernel kills a child that is not done.
	lifetimeNanoseconds = 50_000_000
)

// Where a child was with a socket.
const (
	stageNone   = iota
	stageOpen   // pidfd_open failed
	stageBorrow // pidfd_getfd failed
	stageStat   // statx failed
	stageRead   // done
)

// Why a child ended by itself.
const (
	exitDone = iota
	exitNoTimer
	exitNoFiles
)

// peekShared is the memory of the program and its child.
type peekShared struct {
	next, count   int32
	asked         int32
	why           int32 // why the child could not begin: an errno
	stop          int32 // of a test: the next child stops while it holds a socket
	level, number [maxAsked]int32
	size          uint32
	timer         int32
	event         sigevent
	expiry        timerSpec
	stat          unix.Statx_t
	empty         [1]byte // a path
	items         [maxPeeks]peekItem
}

// A peekItem is a question, and what the child saw.
type peekItem struct {
	pid, fd int32
	stage   int32
	errno   int32
	inode   uint64
	mode    uint16
	answers [maxAsked]peekAnswer
}

type peekAnswer struct{ value, errno int32 }

// sigevent is struct sigevent, and timerSpec struct itimerspec of the kernel, in
// which times are long.
type sigevent struct {
	value          uintptr
	signal, notify int32
	rest           [64]byte
}

type timerSpec struct{ interval, value [2]int } // seconds, nanoseconds

// run has a child go on with the items, and waits for its end. All signals are
// blocked meanwhile: they would run Go's handlers in the child, and ^Z would stop
// it while it holds a socket.
func (s *peekShared) run() error {
	s.event = sigevent{signal: int32(unix.SIGKILL)} // notify 0 is SIGEV_SIGNAL
	s.expiry = timerSpec{value: [2]int{0, lifetimeNanoseconds}}
	s.why = 0
	runtime.LockOSThread()
	pid, errno := fork(s)
	runtime.UnlockOSThread()
	if errno != 0 {
		return fmt.Errorf("clone: %w", errno)
	}
	var status unix.WaitStatus
	for {
		// A child without a signal for its end is seen with this flag only, so that
		// nobody else waits for it by accident.
		_, err := unix.Wait4(int(pid), &status, unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		if err == unix.ECHILD { // SIGCHLD is ignored: it has ended, nobody knows how
			return nil
		}
		if err != nil {
			return fmt.Errorf("wait4: %w", err)
		}
		break
	}
	switch {
	case status.Signaled(), status.ExitStatus() == exitDone:
		return nil
	case status.ExitStatus() == exitNoTimer:
		return fmt.Errorf("timer_create: %w", unix.Errno(s.why))
	case status.ExitStatus() == exitNoFiles:
		return fmt.Errorf("close_range: %w", unix.Errno(s.why))
	}
	return fmt.Errorf("the child ended with %d", status.ExitStatus())
}

// fork makes a copy of this program that has its one thread only, and shares its
// descriptors, so that none is copied. Nothing of Go's runtime may run in it:
// neither the growth of a stack nor the garbage collector's write barriers, which
// is why there are no calls but system calls, and no pointers.
//
//go:norace
//go:nosplit
//go:noinline
func fork(s *peekShared) (pid uintptr, errno unix.Errno) {
	all, old := ^uint64(0), uint64(0)
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&old)), 8, 0, 0)
	pid, _, errno = unix.RawSyscall6(unix.SYS_CLONE, unix.CLONE_FILES, 0, 0, 0, 0, 0)
	if errno == 0 && pid == 0 {
		child(s)
	}
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&old)), 0, 8, 0, 0)
	return pid, errno
}

// child never returns. From close_range on it has descriptors of its own, and none
// of the program's.
//
//go:norace
//go:nosplit
func child(s *peekShared) {
	_, _, errno := unix.RawSyscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&s.event)), uintptr(unsafe.Pointer(&s.timer)))
	if errno == 0 {
		_, _, errno = unix.RawSyscall6(unix.SYS_TIMER_SETTIME, uintptr(s.timer), 0, uintptr(unsafe.Pointer(&s.expiry)), 0, 0, 0)
	}
	if errno != 0 {
		s.why = int32(errno)
		exit(exitNoTimer)
	}
	_, _, errno = unix.RawSyscall(unix.SYS_CLOSE_RANGE, 0, ^uintptr(0)>>(unsafe.Sizeof(uintptr(0))*8-32), unix.CLOSE_RANGE_UNSHARE)
	if errno != 0 {
		s.why = int32(errno)
		exit(exitNoFiles)
	}
	process, pidfd := int32(-1), uintptr(0)
	for s.next < s.count {
		i := &s.items[s.next]
		if i.pid != process {
			if process >= 0 {
				unix.RawSyscall(unix.SYS_CLOSE, pidfd, 0, 0)
			}
			process = -1
			pidfd, _, errno = unix.RawSyscall(unix.SYS_PIDFD_OPEN, uintptr(i.pid), 0, 0)
			if errno != 0 {
				i.stage, i.errno = stageOpen, int32(errno)
				s.next++
				continue
			}
			process = i.pid
		}
		fd, _, errno := unix.RawSyscall(unix.SYS_PIDFD_GETFD, pidfd, uintptr(i.fd), 0)
		if errno != 0 {
			i.stage, i.errno = stageBorrow, int32(errno)
			s.next++
			continue
		}
		look(s, i, fd)
		unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
		s.next++
	}
	exit(exitDone)
}

//go:norace
//go:nosplit
func look(s *peekShared, i *peekItem, fd uintptr) {
	_, _, errno := unix.RawSyscall6(unix.SYS_STATX, fd, uintptr(unsafe.Pointer(&s.empty)), unix.AT_EMPTY_PATH,
		unix.STATX_INO|unix.STATX_TYPE, uintptr(unsafe.Pointer(&s.stat)), 0)
	if errno != 0 {
		i.stage, i.errno = stageStat, int32(errno)
		return
	}
	if s.stop != 0 {
		s.stop = 0
		self, _, _ := unix.RawSyscall(unix.SYS_GETPID, 0, 0, 0)
		unix.RawSyscall(unix.SYS_KILL, self, uintptr(unix.SIGSTOP), 0)
	}
	i.inode, i.mode = s.stat.Ino, s.stat.Mode
	for n := int32(0); n < s.asked; n++ {
		s.size = 4
		i.answers[n].errno = int32(rawGetsockopt(fd, uintptr(s.level[n]), uintptr(s.number[n]),
			unsafe.Pointer(&i.answers[n].value), unsafe.Pointer(&s.size)))
	}
	i.stage = stageRead
}

//go:norace
//go:nosplit
func exit(code uintptr) {
	for {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, code, 0, 0)
	}
}
