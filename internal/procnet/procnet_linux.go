package procnet

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"time"
)

// Files are the tables of the calling thread's network namespace, IPv4 first.
var Files = [...]string{"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"}

// ErrNotFound means that no line is about the requested socket.
var ErrNotFound = errors.New("/proc/net/tcp: no such socket in this network namespace")

// An Entry is one line (get_tcp4_sock in net/ipv4/tcp_ipv4.c).
type Entry struct {
	Local, Remote        netip.AddrPort
	State                uint8
	RecvQueue, SendQueue uint32
	Timer                uint8 // as in inet_diag
	Left                 time.Duration
	Retransmits, Probes  int
	UID                  uint32
	Inode                uint64
}

// Lookup finds the socket with these addresses; an inode of 0 is not compared.
func Lookup(local, remote netip.AddrPort, inode uint64) (found Entry, err error) {
	files, err := Open()
	if err != nil {
		return Entry{}, errors.Join(ErrNotFound, err)
	}
	err = ErrNotFound
	walkErr := Walk(files, func(e *Entry) bool {
		if same(e.Local, local) && same(e.Remote, remote) && (inode == 0 || e.Inode == 0 || e.Inode == inode) {
			found, err = *e, nil
		}
		return err != nil
	})
	return found, errors.Join(err, walkErr)
}

func same(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() && a.Addr().Unmap() == b.Addr().Unmap()
}

// Open opens the tables. They stay those of the calling thread's network
// namespace, whichever thread reads them. A kernel without IPv6 has no second
// file.
func Open() (files []*os.File, err error) {
	for i, name := range Files {
		file, err := os.Open(name)
		if i > 0 && errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			closeAll(files)
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, file := range files {
		file.Close()
	}
}

// Walk calls f for each socket until it returns false, and closes the files. The
// Entry is valid during the call.
func Walk(files []*os.File, f func(*Entry) bool) error {
	defer closeAll(files)
	for _, file := range files {
		more, err := read(file, f)
		if err != nil {
			return fmt.Errorf("%s: %w", file.Name(), err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// read skips the header line.
func read(r io.Reader, f func(*Entry) bool) (more bool, err error) {
	lines := bufio.NewScanner(r)
	var e Entry
	for title := true; lines.Scan(); title = false {
		if title {
			continue
		}
		if err := e.parse(lines.Bytes()); err != nil {
			return false, fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if !f(&e) {
			return false, nil
		}
	}
	return true, lines.Err()
}

// ticksPerSecond is USER_HZ, the unit of times in /proc: 100 on every
// architecture that Go supports.
const ticksPerSecond = 100

// parse reads
//
//	sl local remote st tx:rx tr:when retransmits uid probes inode ...
//
// All numbers except uid, probes and inode are hexadecimal.
func (e *Entry) parse(line []byte) error {
	var fields [10][]byte
	n := 0
	for f := range bytes.FieldsSeq(line) {
		if fields[n] = f; n == len(fields)-1 {
			n++
			break
		}
		n++
	}
	if n < len(fields) {
		return fmt.Errorf("%d fields, want %d", n, len(fields))
	}
	p := parser{}
	e.Local, e.Remote = p.addrPort(fields[1]), p.addrPort(fields[2])
	e.State = uint8(p.number(fields[3], 16, 8))
	tx, rx := p.pair(fields[4])
	e.SendQueue, e.RecvQueue = uint32(p.number(tx, 16, 32)), uint32(p.number(rx, 16, 32))
	timer, when := p.pair(fields[5])
	e.Timer = uint8(p.number(timer, 16, 8))
	e.Left = time.Duration(p.number(when, 16, 64)&(1<<31-1)) * (time.Second / ticksPerSecond)
	e.Retransmits = int(p.number(fields[6], 16, 32))
	e.UID = uint32(p.number(fields[7], 10, 32))
	e.Probes = int(p.number(fields[8], 10, 32))
	e.Inode = p.number(fields[9], 10, 64)
	return p.err
}

// A parser keeps the first error.
type parser struct{ err error }

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *parser) number(b []byte, base, bits int) uint64 {
	n, err := strconv.ParseUint(string(b), base, bits)
	if err != nil {
		p.fail("%q is no number", b)
	}
	return n
}

func (p *parser) pair(b []byte) (first, second []byte) {
	first, second, ok := bytes.Cut(b, []byte{':'})
	if !ok {
		p.fail("%q has no colon", b)
	}
	return first, second
}

// addrPort parses words of 32 bits, each printed as a number in this machine's
// byte order.
func (p *parser) addrPort(b []byte) netip.AddrPort {
	text, port := p.pair(b)
	var raw, bytes [16]byte
	n, err := hex.Decode(raw[:], text[:min(len(text), hex.EncodedLen(len(raw)))])
	if err != nil || n != 4 && n != 16 || len(text) != hex.EncodedLen(n) {
		p.fail("%q is no address", text)
		return netip.AddrPort{}
	}
	for i := 0; i < n; i += 4 {
		binary.NativeEndian.PutUint32(bytes[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, _ := netip.AddrFromSlice(bytes[:n])
	return netip.AddrPortFrom(addr, uint16(p.number(port, 16, 16)))
}
