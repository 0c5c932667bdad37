package sockdiag

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

var asked = ID{
	Family: unix.AF_INET, Cookie: 7<<32 | 9, Inode: 77,
	Local:  netip.MustParseAddrPort("127.0.0.1:4000"),
	Remote: netip.MustParseAddrPort("127.0.0.1:5000"),
}

const testSeq = 42

// reply builds the kernel's answer to asked and lets a test spoil it.
func reply(spoil func(header, message []byte)) []byte {
	b := make([]byte, sizeofHeader+SizeofMessage)
	header, m := b[:sizeofHeader], b[sizeofHeader:]
	binary.NativeEndian.PutUint32(header, uint32(len(b)))
	binary.NativeEndian.PutUint16(header[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint32(header[8:], testSeq)
	m[0], m[1], m[2], m[3] = unix.AF_INET, 1, 2, 3
	binary.BigEndian.PutUint16(m[4:], 4000)
	binary.BigEndian.PutUint16(m[6:], 5000)
	copy(m[8:], []byte{127, 0, 0, 1})
	copy(m[24:], []byte{127, 0, 0, 1})
	binary.NativeEndian.PutUint32(m[44:], 9)
	binary.NativeEndian.PutUint32(m[48:], 7)
	binary.NativeEndian.PutUint32(m[52:], 1500)
	binary.NativeEndian.PutUint32(m[68:], 77)
	if spoil != nil {
		spoil(header, m)
	}
	return b
}

func control(kind, flags uint16, body ...byte) []byte {
	b := make([]byte, sizeofHeader, sizeofHeader+len(body))
	binary.NativeEndian.PutUint32(b, uint32(sizeofHeader+len(body)))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint16(b[6:], flags)
	binary.NativeEndian.PutUint32(b[8:], testSeq)
	return append(b, body...)
}

func errnoBody(errno unix.Errno) []byte {
	return binary.NativeEndian.AppendUint32(nil, uint32(-int32(errno)))
}

func TestAnAnswerIsBelievedOnlyIfItIsAboutTheSocketAskedFor(t *testing.T) {
	c := Conn{seq: testSeq, broken: true}
	m, err := c.answer(reply(nil), &asked)
	require.NoError(t, err)
	assert.False(t, c.broken)
	assert.EqualValues(t, unix.AF_INET, m.Family())
	assert.EqualValues(t, 1, m.State())
	assert.EqualValues(t, 2, m.Timer())
	assert.EqualValues(t, 3, m.Retrans())
	assert.Equal(t, asked.Local, m.Local())
	assert.Equal(t, asked.Remote, m.Remote())
	assert.Equal(t, asked.Cookie, m.Cookie())
	assert.Equal(t, 1500*time.Millisecond, m.Expires())
	assert.EqualValues(t, 77, m.Inode())

	for rule, spoil := range map[string]func(header, m []byte){
		"the listener":     func(_, m []byte) { m[1] = stateListen },
		"all zero":         func(_, m []byte) { clear(m) },
		"another port":     func(_, m []byte) { m[5]++ },
		"another peer":     func(_, m []byte) { m[7]++ },
		"another cookie":   func(_, m []byte) { m[44]++ },
		"another inode":    func(_, m []byte) { m[68]++ },
		"an unknown state": func(_, m []byte) { m[1] = 0 },
	} {
		_, err := c.answer(reply(spoil), &asked)
		assert.ErrorIs(t, err, ErrUntrue, rule)
	}
	for rule, spoil := range map[string]func(header, m []byte){
		"too short a message":       func(h, _ []byte) { binary.NativeEndian.PutUint32(h, sizeofHeader+SizeofMessage-1) },
		"longer than received":      func(h, _ []byte) { binary.NativeEndian.PutUint32(h, 4096) },
		"shorter than a header":     func(h, _ []byte) { binary.NativeEndian.PutUint32(h, 3) },
		"as long as can be written": func(h, _ []byte) { binary.NativeEndian.PutUint32(h, math.MaxUint32) },
		"another message type":      func(h, _ []byte) { h[4]++ },
		"another question":          func(h, _ []byte) { h[8]++ },
	} {
		_, err := c.answer(reply(spoil), &asked)
		assert.Error(t, err, rule)
	}
	for rule, b := range map[string][]byte{"nothing": {}, "half a header": make([]byte, 8)} {
		_, err := c.answer(b, &asked)
		assert.Error(t, err, rule)
	}
}

// A Multipath TCP connection has no cookie that its subflow shares.
func TestWithoutACookieAddressesAndInodeDecide(t *testing.T) {
	id := asked
	id.Cookie = NoCookie
	c := Conn{seq: testSeq}
	_, err := c.answer(reply(nil), &id)
	require.NoError(t, err)
	for rule, spoil := range map[string]func(header, m []byte){
		"another local address": func(_, m []byte) { m[11]++ },
		"another peer address":  func(_, m []byte) { m[27]++ },
		"another inode":         func(_, m []byte) { m[68]++ },
	} {
		_, err := c.answer(reply(spoil), &id)
		assert.ErrorIs(t, err, ErrUntrue, rule)
	}
	_, err = c.answer(reply(func(_, m []byte) { clear(m[68:]) }), &id)
	assert.NoError(t, err, "a socket that nobody has open any more has no inode")
}

func TestErrorsOfTheKernel(t *testing.T) {
	c := Conn{seq: testSeq}
	for rule, row := range map[string]struct {
		answer []byte
		want   error
	}{
		"no such socket": {control(unix.NLMSG_ERROR, 0, errnoBody(unix.ENOENT)...), ErrNotFound},
		"not permitted":  {control(unix.NLMSG_ERROR, 0, errnoBody(unix.EPERM)...), unix.EPERM},
	} {
		_, err := c.answer(row.answer, &asked)
		assert.ErrorIs(t, err, row.want, rule)
	}
	_, err := c.answer(control(unix.NLMSG_ERROR, 0), &asked)
	assert.ErrorContains(t, err, "without a number")
}

func TestAnOverdueTimerOfAnOldKernelIsZero(t *testing.T) {
	m := Message(reply(func(_, m []byte) { binary.NativeEndian.PutUint32(m[52:], 1<<32-4) })[sizeofHeader:])
	assert.Zero(t, m.Expires())
}

// dump feeds datagrams to Dump as the kernel would.
func dump(t testing.TB, datagrams ...[]byte) (n int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(fds[0])
	for _, d := range datagrams {
		require.NoError(t, unix.Send(fds[1], d, 0))
	}
	require.NoError(t, unix.Shutdown(fds[1], unix.SHUT_WR)) // further reads return nothing
	defer unix.Close(fds[1])
	c := Conn{fd: fds[0], seq: testSeq - 1, buffer: make([]byte, 4096)}
	err = c.Dump(&Query{}, func(m Message) bool {
		if len(m) < SizeofMessage {
			t.Errorf("a message of %d bytes", len(m))
		}
		n++
		return true
	})
	return n, err
}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func TestDumpReadsToTheEndAndSaysWhatWasWrong(t *testing.T) {
	done := control(unix.NLMSG_DONE, 0, 0, 0, 0, 0)
	withFlags := func(flags uint16) []byte {
		return reply(func(h, _ []byte) { binary.NativeEndian.PutUint16(h[6:], flags) })
	}
	for _, row := range []struct {
		rule      string
		datagrams [][]byte
		sockets   int
		want      string // of the error; "" for none
	}{
		{"nothing", [][]byte{done}, 0, ""},
		{"several datagrams", [][]byte{join(reply(nil), reply(nil)), reply(nil), done}, 3, ""},
		{"the end in the same datagram", [][]byte{join(reply(nil), done)}, 1, ""},
		{"a table that changed: all sockets, then the error", [][]byte{withFlags(unix.NLM_F_DUMP_INTR), reply(nil), done}, 2, ErrInterrupted.Error()},
		{"an error in the middle", [][]byte{reply(nil), control(unix.NLMSG_ERROR, 0, errnoBody(unix.ENOMEM)...)}, 1, "cannot allocate memory"},
		{"an end with an errno", [][]byte{control(unix.NLMSG_DONE, 0, errnoBody(unix.EINVAL)...)}, 0, "invalid argument"},
		{"no module", [][]byte{control(unix.NLMSG_ERROR, 0, errnoBody(unix.ENOENT)...)}, 0, ErrNotFound.Error()},
		{"no end", [][]byte{reply(nil)}, 1, "empty answer"},
		{"a datagram that was cut off", [][]byte{make([]byte, 4096)}, 0, "cut off"},
		{"a message that is too short", [][]byte{join(control(unix.SOCK_DIAG_BY_FAMILY, 0, make([]byte, 40)...), done)}, 0, "want 72"},
		{"garbage behind a message", [][]byte{join(reply(nil), []byte{1, 2, 3})}, 1, "where a message begins"},
		{"a length of nothing", [][]byte{make([]byte, 16)}, 0, "claims 0"},
		{"an answer to another question", [][]byte{reply(func(h, _ []byte) { h[8]++ })}, 0, "answer number"},
		{"messages of other types are skipped", [][]byte{join(control(unix.NLMSG_NOOP, 0), reply(nil), done)}, 1, ""},
	} {
		t.Run(row.rule, func(t *testing.T) {
			n, err := dump(t, row.datagrams...)
			assert.Equal(t, row.sockets, n)
			if row.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, row.want)
			}
		})
	}
}

func TestAttributes(t *testing.T) {
	message := func(attributes ...byte) Message { return append(reply(nil)[sizeofHeader:], attributes...) }
	read := func(m Message) (kinds []uint16) {
		m.Attributes(func(kind uint16, _ []byte) { kinds = append(kinds, kind) })
		return kinds
	}
	attribute := func(size, kind uint16, value ...byte) []byte {
		return append(binary.NativeEndian.AppendUint16(binary.NativeEndian.AppendUint16(nil, size), kind), value...)
	}
	for _, row := range []struct {
		rule string
		raw  []byte
		want []uint16
	}{
		{"none", nil, nil},
		{"two, the first padded", join(attribute(5, AttrShutdown, 3, 0, 0, 0), attribute(8, AttrMark, 1, 0, 0, 0)), []uint16{AttrShutdown, AttrMark}},
		{"the last without padding", attribute(5, AttrV6Only, 1), []uint16{AttrV6Only}},
		{"shorter than itself", attribute(3, AttrMark, 1, 0, 0, 0), nil},
		{"longer than there is", join(attribute(5, AttrShutdown, 3, 0, 0, 0), attribute(200, AttrMark, 1)), []uint16{AttrShutdown}},
		{"zero", make([]byte, 8), nil},
	} {
		assert.Equal(t, row.want, read(message(row.raw...)), row.rule)
	}
}

func hexBytes(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// The bytes are those of linux/netlink.h and linux/inet_diag.h, written down by
// hand for a little-endian machine.
func TestRequests(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the bytes are for little-endian machines")
	}
	id := ID{
		Family: unix.AF_INET, Local: netip.MustParseAddrPort("10.1.2.3:443"), Remote: netip.MustParseAddrPort("[::ffff:10.4.5.6]:50000"),
		Device: 5, Cookie: 0x1122334455667788,
	}
	assert.Equal(t, hexBytes(
		"48000000 1400 0100 2a000000 00000000"+ // length, type, NLM_F_REQUEST, sequence
			"02 06 02 00 ffffffff"+ // AF_INET, TCP, INET_DIAG_INFO, all states
			"01bb c350 0a010203 000000000000000000000000 0a040506 000000000000000000000000 05000000 88776655 44332211"),
		appendRequest(nil, 42, 0, &Query{Family: unix.AF_INET, States: math.MaxUint32, Extensions: ExtInfo}, &id), "IPv4")
	id.Family = unix.AF_INET6
	id.Local = netip.MustParseAddrPort("[2001:db8::1]:443")
	id.Cookie = NoCookie
	assert.Equal(t, hexBytes(
		"48000000 1400 0100 2a000000 00000000"+
			"0a 06 00 00 ffffffff"+
			"01bb c350 20010db8000000000000000000000001 00000000000000000000ffff0a040506 05000000 ffffffff ffffffff"),
		appendRequest(nil, 42, 0, &Query{Family: unix.AF_INET6, States: math.MaxUint32}, &id), "IPv6")
	filter := Filter{1, 2, 3, 4}
	assert.Equal(t, hexBytes(
		"50000000 1400 0103 2a000000 00000000"+ // NLM_F_REQUEST|NLM_F_DUMP
			"0a 06 00 00 02000000"+strings.Repeat("00", 48)+
			"0800 0100 01020304"), // INET_DIAG_REQ_BYTECODE
		appendRequest(nil, 42, unix.NLM_F_DUMP, &Query{Family: unix.AF_INET6, States: 2, Filter: filter}, nil), "a dump of one family")
	assert.Equal(t, hexBytes(
		"54000000 1200 0103 2a000000 00000000"+ // TCPDIAG_GETSOCK
			"00 00 00 02"+strings.Repeat("00", 48)+"02000000 00000000"+ // struct inet_diag_req
			"0800 0100 01020304"),
		appendLegacy(nil, 42, &Query{States: 2, Extensions: ExtInfo, Filter: filter}), "a dump of both families")
}

func FuzzAnswer(f *testing.F) {
	f.Add(reply(nil))
	f.Add(control(unix.NLMSG_ERROR, 0, errnoBody(unix.ENOENT)...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := Conn{seq: testSeq}
		m, err := c.answer(b, &asked)
		if err == nil && (m.Local() != asked.Local || m.Remote().Port() != 5000) && m.Cookie() != asked.Cookie {
			t.Errorf("believed an answer about %v -> %v", m.Local(), m.Remote())
		}
	})
}

func FuzzWalk(f *testing.F) {
	f.Add(join(reply(nil), control(unix.NLMSG_DONE, 0, 0, 0, 0, 0)))
	f.Add(append(reply(nil), 5, 0, 8, 0, 3))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := Conn{seq: testSeq}
		interrupted := false
		c.walk(b, func(m Message) bool {
			if len(m) < SizeofMessage {
				t.Errorf("a message of %d bytes", len(m))
			}
			m.Local()
			m.Remote()
			m.Attributes(func(uint16, []byte) {})
			return true
		}, &interrupted)
	})
}
