package sockdiag

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

var (
	// ErrNotFound means that the kernel has no such socket in this network
	// namespace, or lacks the tcp_diag module: the errno is the same.
	ErrNotFound = errors.New("sock_diag: no such socket in this network namespace, or no tcp_diag module")

	// ErrUntrue means an answer that is not about the requested socket.
	ErrUntrue = errors.New("sock_diag: the answer is about another socket")

	// ErrInterrupted means that the table changed during a dump, so that sockets
	// may be missing or listed twice (NLM_F_DUMP_INTR).
	ErrInterrupted = errors.New("sock_diag: the socket table changed while it was read")
)

// bufferSize is more than the maximum of 32 KiB that the kernel puts into one
// answer.
const bufferSize = 40 << 10

// A Conn is a netlink socket. It is not safe for concurrent use. It sees the
// network namespace of the thread that opened it.
type Conn struct {
	fd     int
	ns     uint64 // SO_NETNS_COOKIE, 0 before Linux 5.14
	seq    uint32
	buffer []byte
	out    []byte
	broken bool // an answer may still be on its way
	home   bool // it sees the network namespace of the program
}

// sequence makes the sequence numbers of different Conns distinct.
var sequence atomic.Uint32

// Open needs no privilege. A seccomp filter may refuse it.
func Open() (*Conn, error) { return open(bufferSize) }

func open(size int) (*Conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("sock_diag: netlink socket: %w", err)
	}
	// From here on only the kernel can send to it.
	if err := unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("sock_diag: connect: %w", err)
	}
	return &Conn{fd: fd, ns: NamespaceOf(fd), seq: sequence.Add(1) << 16, buffer: make([]byte, size)}, nil
}

// Close releases the socket.
func (c *Conn) Close() { unix.Close(c.fd) }

// NamespaceOf returns the cookie of a socket's network namespace, or 0 before
// Linux 5.14.
func NamespaceOf(fd int) uint64 {
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0
	}
	return cookie
}

// Lookup asks about one socket, in any state. The answer is checked: the error
// wraps ErrNotFound, ErrUntrue or an errno.
//
// The kernel answers during the send call, so neither call blocks, and the
// scheduler need not be notified.
func (c *Conn) Lookup(id *ID, extensions uint8) (Message, error) {
	return c.exact(&Query{Family: id.Family, States: math.MaxUint32, Extensions: extensions}, id, id)
}

// LookupMultipath asks about the whole Multipath TCP connection of the socket
// id. The kernel finds it by the token from MPTCP_INFO, which takes the place of
// the cookie (mptcp_diag_dump_one in net/mptcp/mptcp_diag.c).
func (c *Conn) LookupMultipath(id *ID, token uint32) (Message, error) {
	asked := *id
	asked.Cookie = uint64(token)
	return c.exact(&Query{Family: id.Family, Protocol: unix.IPPROTO_MPTCP, States: math.MaxUint32}, &asked, id)
}

// exact asks for one socket, and checks that the answer is about it.
func (c *Conn) exact(q *Query, asked, id *ID) (Message, error) {
	c.seq++
	c.out = appendRequest(c.out[:0], c.seq, 0, q, asked)
	c.broken = true
	if _, errno := rawCall(unix.SYS_WRITE, c.fd, c.out); errno != 0 {
		return nil, fmt.Errorf("sock_diag: send: %w", errno)
	}
	n, errno := rawCall(unix.SYS_READ, c.fd, c.buffer)
	if errno != 0 {
		return nil, fmt.Errorf("sock_diag: receive: %w", errno)
	}
	m, err := c.answer(c.buffer[:n], id)
	return m, err
}

func rawCall(number uintptr, fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), errno
}

func (c *Conn) answer(b []byte, id *ID) (Message, error) {
	h, body, _, err := next(b)
	if err != nil {
		return nil, err
	}
	if h.seq != c.seq {
		return nil, fmt.Errorf("sock_diag: answer number %d to question %d", h.seq, c.seq)
	}
	c.broken = false
	switch h.kind {
	case unix.NLMSG_ERROR:
		return nil, failure(body)
	case unix.SOCK_DIAG_BY_FAMILY:
	default:
		return nil, fmt.Errorf("sock_diag: answer of type %d", h.kind)
	}
	m, err := message(body)
	if err != nil {
		return nil, err
	}
	if !id.matches(m) {
		return nil, fmt.Errorf("%w: asked for %v -> %v, got %v -> %v, state %d",
			ErrUntrue, id.Local, id.Remote, m.Local(), m.Remote(), m.State())
	}
	return m, nil
}

// Dump calls f for each socket that q selects, until f returns false. If a dump
// was not read to its end, the Conn cannot be used again.
func (c *Conn) Dump(q *Query, f func(Message) bool) error {
	if len(q.Filter) > MaxFilter {
		return fmt.Errorf("sock_diag: a filter of %d bytes is too long: a message takes %d", len(q.Filter), MaxFilter)
	}
	c.seq++
	if q.Family == BothFamilies {
		c.out = appendLegacy(c.out[:0], c.seq, q)
	} else {
		c.out = appendRequest(c.out[:0], c.seq, unix.NLM_F_DUMP, q, nil)
	}
	c.broken = true
	if _, err := unix.Write(c.fd, c.out); err != nil {
		return fmt.Errorf("sock_diag: send: %w", err)
	}
	interrupted := false
	for {
		n, err := unix.Read(c.fd, c.buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("sock_diag: receive: %w", err)
		case n == len(c.buffer):
			return fmt.Errorf("sock_diag: an answer of more than %d bytes was cut off", n)
		}
		done, err := c.walk(c.buffer[:n], f, &interrupted)
		switch {
		case err != nil:
			return err
		case done && interrupted:
			return ErrInterrupted
		case done:
			return nil
		}
	}
}

// Search is Lookup for a connection that is still connecting, for which
// getpeername does not return the peer: it lists all connecting sockets with its
// local port.
func (c *Conn) Search(id *ID) (Message, error) {
	const stateSynSent = 2
	var found Message
	q := Query{Family: id.Family, States: 1 << stateSynSent, Filter: Ports(Local, id.Local.Port(), id.Local.Port())}
	err := c.Dump(&q, func(m Message) bool {
		if id.Cookie != NoCookie && m.Cookie() == id.Cookie || id.Cookie == NoCookie && m.Inode() == id.Inode {
			found = append(found[:0], m...)
		}
		return true
	})
	if err == nil && found == nil {
		err = ErrNotFound
	}
	return found, err
}

// errStopped ends a dump whose function returned false.
var errStopped = errors.New("stopped")

// walk calls f for the messages of one datagram.
func (c *Conn) walk(b []byte, f func(Message) bool, interrupted *bool) (done bool, err error) {
	if len(b) == 0 {
		return false, errors.New("sock_diag: empty answer")
	}
	for len(b) > 0 {
		h, body, rest, err := next(b)
		if err != nil {
			return false, err
		}
		b = rest
		if h.seq != c.seq {
			return false, fmt.Errorf("sock_diag: answer number %d to question %d", h.seq, c.seq)
		}
		if h.flags&unix.NLM_F_DUMP_INTR != 0 {
			*interrupted = true
		}
		switch h.kind {
		case unix.NLMSG_DONE:
			c.broken = false
			if len(body) >= 4 && binary.NativeEndian.Uint32(body) != 0 {
				return true, failure(body)
			}
			return true, nil
		case unix.NLMSG_ERROR:
			c.broken = false
			return true, failure(body)
		case unix.SOCK_DIAG_BY_FAMILY, getSock:
			m, err := message(body)
			if err != nil {
				return false, err
			}
			if !f(m) {
				return false, errStopped
			}
		}
	}
	return false, nil
}

// Stopped reports whether Dump ended because its function returned false.
func Stopped(err error) bool { return err == errStopped }

// A header is struct nlmsghdr.
type header struct {
	kind, flags uint16
	seq         uint32
}

// next splits off the first message.
func next(b []byte) (h header, body, rest []byte, err error) {
	if len(b) < sizeofHeader {
		return header{}, nil, nil, fmt.Errorf("sock_diag: %d bytes where a message begins", len(b))
	}
	size := binary.NativeEndian.Uint32(b)
	if size < sizeofHeader || uint64(size) > uint64(len(b)) {
		return header{}, nil, nil, fmt.Errorf("sock_diag: a message claims %d of %d bytes", size, len(b))
	}
	h = header{
		kind:  binary.NativeEndian.Uint16(b[4:]),
		flags: binary.NativeEndian.Uint16(b[6:]),
		seq:   binary.NativeEndian.Uint32(b[8:]),
	}
	return h, b[sizeofHeader:size], b[min(align(int(size)), len(b)):], nil
}

func message(body []byte) (Message, error) {
	if len(body) < SizeofMessage {
		return nil, fmt.Errorf("sock_diag: a socket of %d bytes, want %d", len(body), SizeofMessage)
	}
	return Message(body), nil
}

func failure(body []byte) error {
	if len(body) < 4 {
		return errors.New("sock_diag: an error without a number")
	}
	errno := unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
	if errno == unix.ENOENT {
		return ErrNotFound
	}
	return fmt.Errorf("sock_diag: %w", errno)
}
