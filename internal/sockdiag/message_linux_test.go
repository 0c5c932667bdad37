package sockdiag

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

var asked = id{
	family: unix.AF_INET, cookie: 7<<32 | 9,
	local:  netip.MustParseAddrPort("127.0.0.1:4000"),
	remote: netip.MustParseAddrPort("127.0.0.1:5000"),
}

// reply builds the kernel's answer to asked and lets a test spoil it.
func reply(spoil func(header, message []byte)) []byte {
	b := make([]byte, sizeofHeader+sizeofMessage)
	header, m := b[:sizeofHeader], b[sizeofHeader:]
	binary.NativeEndian.PutUint32(header, uint32(len(b)))
	binary.NativeEndian.PutUint16(header[4:], unix.SOCK_DIAG_BY_FAMILY)
	m[0], m[1], m[2], m[3] = unix.AF_INET, 1, uint8(KeepAlive), 2
	binary.BigEndian.PutUint16(m[4:], 4000)
	binary.BigEndian.PutUint16(m[6:], 5000)
	copy(m[8:], []byte{127, 0, 0, 1})
	copy(m[24:], []byte{127, 0, 0, 1})
	binary.NativeEndian.PutUint32(m[44:], 9)
	binary.NativeEndian.PutUint32(m[48:], 7)
	binary.NativeEndian.PutUint32(m[52:], 1500)
	spoil(header, m)
	return b
}

func TestAnswerIsBelievedOnlyIfItIsAboutTheSocketAskedFor(t *testing.T) {
	s, err := asked.answer(reply(func(_, _ []byte) {}))
	require.NoError(t, err)
	assert.Equal(t, Socket{State: 1, Local: asked.local, Remote: asked.remote, Timer: KeepAlive,
		Left: 1500 * time.Millisecond, Unanswered: 2, Cookie: asked.cookie}, s)

	for name, spoil := range map[string]func(header, m []byte){
		"the listener":          func(_, m []byte) { m[1] = tcpListen },
		"all zero":              func(_, m []byte) { clear(m) },
		"another port":          func(_, m []byte) { m[5]++ },
		"another cookie":        func(_, m []byte) { m[44]++ },
		"too short a message":   func(h, _ []byte) { binary.NativeEndian.PutUint32(h, sizeofHeader+sizeofMessage-1) },
		"longer than received":  func(h, _ []byte) { binary.NativeEndian.PutUint32(h, 4096) },
		"shorter than a header": func(h, _ []byte) { binary.NativeEndian.PutUint32(h, 3) },
		"another message type":  func(h, _ []byte) { h[4]++ },
	} {
		_, err := asked.answer(reply(spoil))
		assert.Error(t, err, name)
	}
}

func TestAnswerTellsErrors(t *testing.T) {
	failure := func(errno unix.Errno) []byte {
		return reply(func(h, m []byte) {
			binary.NativeEndian.PutUint16(h[4:], unix.NLMSG_ERROR)
			binary.NativeEndian.PutUint32(m, uint32(-int32(errno)))
		})
	}
	_, err := asked.answer(failure(unix.ENOENT))
	require.ErrorIs(t, err, ErrNotFound)
	_, err = asked.answer(failure(unix.EPERM))
	require.ErrorIs(t, err, unix.EPERM)
}

func TestAnOverdueTimerOfAnOldKernelIsZero(t *testing.T) {
	s, err := asked.answer(reply(func(_, m []byte) { binary.NativeEndian.PutUint32(m[52:], 1<<32-4) }))
	require.NoError(t, err)
	assert.Zero(t, s.Left)
}

func FuzzAnswer(f *testing.F) {
	f.Add(reply(func(_, _ []byte) {}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := asked.answer(b)
		if err == nil && (s.Local.Port() != 4000 || s.Remote.Port() != 5000) {
			t.Errorf("believed an answer about %v -> %v", s.Local, s.Remote)
		}
	})
}
