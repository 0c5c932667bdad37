package peek

import (
	"fmt"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	maxPeeks = 1024 // at a time: 4 ms on an idle machine
	maxAsked = 10   // options of each socket

	// lifetime is the time after its start at which the kernel kills a child that is not
	// done.
	lifetime = 50 * time.Millisecond
)

// The stages of a child's work on a socket.
const (
	stageNone   = iota
	stageOpen   // pidfd_open failed
	stageBorrow // pidfd_getfd failed
	stageStat   // statx failed
	stageRead   // done
)

// The exit codes of a child.
const (
	exitDone = iota
	exitNoTimer
	exitNoFiles
)

// peekShared is the memory that the program and its child share.
type peekShared struct {
	next, count int32
	asked, at   int32
	forked      unix.Errno
	why         int32 // the errno if the child could not start
	asks        [maxAsked]peekAsk
	size        uint32
	timer       int32
	event       sigevent
	expiry      timerSpec
	allSignals  sigset
	ourSignals  sigset
	stat        unix.Statx_t
	empty       [1]byte // a path

	// The results of the child's system calls. They are not on its stack, which is small.
	result        uintptr
	errno         unix.Errno
	fourth, fifth uintptr // arguments, of the calls that have that many
	// The variables of the child.
	pidfd, fd, code, process uintptr

	stop int32 // set by a test: this many children stop while they hold a socket

	items [maxPeeks]peekItem
}

// A peekItem is a request, and what the child read.
type peekItem struct {
	pid, fd uintptr
	flags   uintptr // of pidfd_open
	stage   int32
	errno   int32
	inode   uint64
	mode    uint16
	answers [maxAsked]peekAnswer
}

type (
	peekAsk    struct{ level, number uintptr }
	peekAnswer struct{ value, errno int32 }
)

// sigevent is struct sigevent, and timerSpec is the kernel's struct itimerspec,
// whose times are of type long.
type sigevent struct {
	value          uintptr
	signal, notify int32
	rest           [64]byte
}

type timerSpec struct{ interval, value [2]int } // seconds, nanoseconds

// run starts a child that continues with the items, and waits for its end. All
// signals are blocked in the meantime: they would run Go's handlers in the
// child, and ^Z would stop it while it holds a socket.
func (s *peekShared) run() error {
	s.event = sigevent{signal: int32(unix.SIGKILL)} // notify 0 is SIGEV_SIGNAL
	s.expiry = timerSpec{value: [2]int{0, int(lifetime)}}
	s.why, s.allSignals = 0, sigset{^uint64(0), ^uint64(0)}
	runtime.LockOSThread()
	if errno := setSignals(&s.allSignals, &s.ourSignals); errno != 0 {
		runtime.UnlockOSThread()
		return fmt.Errorf("rt_sigprocmask: %w", errno)
	}
	pid := fork(s)
	setSignals(&s.ourSignals, &s.allSignals) // blocking them worked, so unblocking works too
	runtime.UnlockOSThread()
	if s.forked != 0 {
		return fmt.Errorf("clone: %w", s.forked)
	}
	var status unix.WaitStatus
	for {
		// Only this flag waits for a child that sends no signal when it ends, so that no
		// other code waits for it by accident.
		_, err := unix.Wait4(int(pid), &status, unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		if err == unix.ECHILD { // another thread called wait4(-1, __WALL); Go itself never does
			return fmt.Errorf("another part of the program has waited for the child: %w", err)
		}
		if err != nil {
			return fmt.Errorf("wait4: %w", err)
		}
		break
	}
	switch {
	case status.Signaled() && status.Signal() != unix.SIGKILL: // the timer sends only SIGKILL
		return fmt.Errorf("the child was ended by %s", unix.SignalName(status.Signal()))
	case status.Signaled(), status.ExitStatus() == exitDone:
		return nil
	case status.ExitStatus() == exitNoTimer:
		return fmt.Errorf("timer_create: %w", unix.Errno(s.why))
	case status.ExitStatus() == exitNoFiles:
		return fmt.Errorf("close_range: %w", unix.Errno(s.why))
	}
	return fmt.Errorf("the child ended with %d", status.ExitStatus())
}

// A sigset is the kernel's set of signals on any architecture: MIPS has 128
// signals, all others have 64. unix.Sigset_t is that of the C library.
type sigset [2]uint64

// setSignals sets the signals that the thread has blocked.
func setSignals(now, before *sigset) unix.Errno {
	size := uintptr(8) // the kernel accepts only its own size
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		size = 16
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(now)), uintptr(unsafe.Pointer(before)), size, 0, 0)
	return errno
}

// fork makes a copy of this program that has only the calling thread, and shares the
// descriptors so that they are not copied. The copy runs in this function too and never
// returns. Go's runtime must not run in the copy: no stack growth, during which another
// goroutine may be scheduled, and no write barriers of the garbage collector. So there are
// no calls except system calls, no stored pointers, and no bounds checks; and the function
// fits into the 800 bytes of a stack that cannot grow, even without optimisation, as for
// debuggers. Otherwise the linker fails.
//
//go:norace
//go:nocheckptr
//go:nosplit
//go:noinline
func fork(s *peekShared) (pid uintptr) {
	// Both processes write the same value to forked: a child exists only if there was no error.
	if runtime.GOARCH == "s390x" { // the stack is the first argument here (CLONE_BACKWARDS2 in kernel/fork.c)
		pid, _, s.forked = unix.RawSyscall6(unix.SYS_CLONE, 0, unix.CLONE_FILES, 0, 0, 0, 0)
	} else {
		pid, _, s.forked = unix.RawSyscall6(unix.SYS_CLONE, unix.CLONE_FILES, 0, 0, 0, 0, 0)
	}
	if s.forked != 0 || pid != 0 {
		return pid
	}

	// This is the child. It lives until the timer fires.
	s.code = exitNoTimer
	s.call(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&s.event)), uintptr(unsafe.Pointer(&s.timer)))
	if s.errno == 0 {
		s.fourth = 0
		s.call(unix.SYS_TIMER_SETTIME, uintptr(s.timer), 0, uintptr(unsafe.Pointer(&s.expiry)))
	}
	if s.errno == 0 { // from here on it has its own descriptors, and none of the program's
		s.code = exitNoFiles
		s.call(unix.SYS_CLOSE_RANGE, 0, 1<<32-1, unix.CLOSE_RANGE_UNSHARE)
	}
	if s.errno == 0 {
		s.code = exitDone
	} else {
		s.why = int32(s.errno)
	}
	s.process = 0 // the process of s.pidfd
	for s.code == exitDone && s.next < s.count {
		i := (*peekItem)(unsafe.Add(unsafe.Pointer(&s.items), uintptr(s.next)*unsafe.Sizeof(peekItem{})))
		if i.pid != s.process {
			if s.process != 0 {
				s.call(unix.SYS_CLOSE, s.pidfd, 0, 0)
			}
			s.process = 0
			s.call(unix.SYS_PIDFD_OPEN, i.pid, i.flags, 0)
			if s.errno != 0 {
				i.stage = stageOpen
				i.errno = int32(s.errno)
				s.next++
				continue
			}
			s.process = i.pid
			s.pidfd = s.result
		}
		s.call(unix.SYS_PIDFD_GETFD, s.pidfd, i.fd, 0)
		if s.errno != 0 {
			i.stage = stageBorrow
			i.errno = int32(s.errno)
			s.next++
			continue
		}
		s.fd = s.result
		if s.stop != 0 {
			s.stop--
			s.call(unix.SYS_GETPID, 0, 0, 0)
			s.call(unix.SYS_KILL, s.result, uintptr(unix.SIGSTOP), 0)
		}
		s.fourth = unix.STATX_INO | unix.STATX_TYPE
		s.fifth = uintptr(unsafe.Pointer(&s.stat))
		s.call(unix.SYS_STATX, s.fd, uintptr(unsafe.Pointer(&s.empty)), unix.AT_EMPTY_PATH)
		s.fifth = uintptr(unsafe.Pointer(&s.size))
		if s.errno != 0 {
			i.stage = stageStat
			i.errno = int32(s.errno)
		} else {
			i.inode = s.stat.Ino
			i.mode = s.stat.Mode
			i.stage = stageRead
		}
		for s.at = 0; i.stage == stageRead && s.at < s.asked; s.at++ {
			s.size = 4
			ask := (*peekAsk)(unsafe.Add(unsafe.Pointer(&s.asks), uintptr(s.at)*unsafe.Sizeof(peekAsk{})))
			answer := (*peekAnswer)(unsafe.Add(unsafe.Pointer(&i.answers), uintptr(s.at)*unsafe.Sizeof(peekAnswer{})))
			s.fourth = uintptr(unsafe.Pointer(&answer.value))
			s.call(unix.SYS_GETSOCKOPT, s.fd, ask.level, ask.number)
			answer.errno = int32(s.errno)
		}
		s.call(unix.SYS_CLOSE, s.fd, 0, 0)
		s.next++
	}
	for {
		s.call(unix.SYS_EXIT_GROUP, s.code, 0, 0)
	}
}

// call makes a system call of the child.
//
//go:norace
//go:nocheckptr
//go:nosplit
//go:noinline
func (s *peekShared) call(number, a, b, c uintptr) {
	s.result, _, s.errno = unix.RawSyscall6(number, a, b, c, s.fourth, s.fifth, 0)
}
