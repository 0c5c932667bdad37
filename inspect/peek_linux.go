package inspect

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// pidfds refer to processes, by number.
type pidfds map[int]int

// maxPidfds bounds how many are open at a time.
const maxPidfds = 64

func (p *pidfds) of(pid int) (int, error) {
	if fd, ok := (*p)[pid]; ok {
		return fd, nil
	}
	if len(*p) >= maxPidfds {
		p.close()
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, fmt.Errorf("pidfd_open of process %d: %w", pid, notFoundIs(err))
	}
	if *p == nil {
		*p = pidfds{}
	}
	(*p)[pid] = fd
	return fd, nil
}

func (p *pidfds) close() {
	for _, fd := range *p {
		unix.Close(fd)
	}
	clear(*p)
}

// notFoundIs lets a process or descriptor that is gone be fs.ErrNotExist.
func notFoundIs(err error) error {
	if err == unix.ESRCH || err == unix.EBADF {
		return fmt.Errorf("%w (%w)", fs.ErrNotExist, err)
	}
	return err
}

// settings never lets Go's poller see the duplicate, nor os.File: the
// descriptor shares its flags with the other process, for which O_NONBLOCK
// would change too.
func (p *Peeker) settings(o Owner, inode uint32) (sockopt.Settings, error) {
	pidfd, err := p.pidfds.of(o.PID)
	if err != nil {
		return sockopt.Settings{}, fmt.Errorf("inspect: %w", err)
	}
	fd, err := unix.PidfdGetfd(pidfd, o.FD, 0)
	if err != nil {
		return sockopt.Settings{}, fmt.Errorf("inspect: pidfd_getfd of descriptor %d of process %d: %w", o.FD, o.PID, notFoundIs(err))
	}
	s, err := readBorrowed(fd, inode)
	unix.Close(fd)
	if err != nil {
		return sockopt.Settings{}, fmt.Errorf("inspect: descriptor %d of process %d: %w", o.FD, o.PID, err)
	}
	return s, nil
}

func readBorrowed(fd int, inode uint32) (sockopt.Settings, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return sockopt.Settings{}, err
	}
	if uint32(st.Ino) != inode || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return sockopt.Settings{}, ErrChanged
	}
	kind, err := platform.KindOf(platform.System(), uintptr(fd))
	if err != nil {
		return sockopt.Settings{}, err
	}
	if kind == platform.NotTCP {
		return sockopt.Settings{}, errors.Join(ErrChanged, sockopt.ErrNotTCP)
	}
	return settingsOf(kind, uintptr(fd))
}
