package procnet

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

const title = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// The lines are those of a little-endian machine.
func TestLines(t *testing.T) {
	for _, row := range []struct {
		rule, line string
		want       Entry
	}{
		{"keepalive", "   0: 0100007F:1F90 0200007F:C350 01 00000000:00000000 02:000026E8 00000000  1000        3 4711 2 0000000000000000 20 4 30 10 -1",
			Entry{Local: addr("127.0.0.1:8080"), Remote: addr("127.0.0.2:50000"), State: 1, Timer: 2, Left: 99600 * time.Millisecond, Probes: 3, UID: 1000, Inode: 4711}},
		{"a listener", "   1: 00000000:0016 00000000:0000 0A 00000000:00000005 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0",
			Entry{Local: addr("0.0.0.0:22"), Remote: addr("0.0.0.0:0"), State: 10, RecvQueue: 5, Inode: 12}},
		{"data in flight", "  10: 0100007F:1F90 0200007F:C350 01 0000002A:00000007 01:0000000C 00000004     0        0 12 2 0 24 4 30 10 -1",
			Entry{Local: addr("127.0.0.1:8080"), Remote: addr("127.0.0.2:50000"), State: 1, SendQueue: 42, RecvQueue: 7, Timer: 1, Left: 120 * time.Millisecond, Retransmits: 4, Inode: 12}},
		{"IPv6", "   0: B80D0120000000000000000001000000:01BB 00000000000000000000000001000000:C350 08 00000000:00000000 00:00000000 00000000     0        0 1 1 0",
			Entry{Local: addr("[2001:db8::1]:443"), Remote: addr("[::1]:50000"), State: 8, Inode: 1}},
		{"IPv4-mapped", "   0: 0000000000000000FFFF00000100007F:01BB 0000000000000000FFFF00000200007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0",
			Entry{Local: addr("[::ffff:127.0.0.1]:443"), Remote: addr("[::ffff:127.0.0.2]:50000"), State: 1, Inode: 1}},
		{"time-wait", "   0: 0100007F:1F90 0200007F:C350 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0",
			Entry{Local: addr("127.0.0.1:8080"), Remote: addr("127.0.0.2:50000"), State: 6, Timer: 3, Left: time.Minute}},
	} {
		var got []Entry
		more, err := read(strings.NewReader(title+row.line+"\n"), func(e *Entry) bool { got = append(got, *e); return true })
		require.NoError(t, err, row.rule)
		assert.True(t, more)
		assert.Equal(t, []Entry{row.want}, got, row.rule)
	}
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestMalformedLinesAreErrors(t *testing.T) {
	good := "0: 0100007F:1F90 0200007F:C350 01 00000000:00000000 02:000026E8 00000000 1000 3 4711"
	require.NoError(t, new(Entry).parse([]byte(good)))
	for old, spoiled := range map[string]string{
		" 4711": "", "0100007F": "0100007", "0200007F": "xxxxxxxx", "0100007F:1F90": "0100007F",
		":1F90": ":1F9000", "02:000026E8": "02", " 01 ": " 1FF ", " 3 ": " -3 ", "4711": "4711x", "00000000:00000000": "0:",
	} {
		line := strings.Replace(good, old, spoiled, 1)
		assert.Error(t, new(Entry).parse([]byte(line)), line)
		_, err := read(strings.NewReader(title+line+"\n"), func(*Entry) bool { return true })
		assert.ErrorContains(t, err, line)
	}
}

func TestLookupAndWalk(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", testkit.Mapped} {
		t.Run(address, func(t *testing.T) {
			client, server := testkit.Pair(t, "tcp", address)
			require.NoError(t, client.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 100 * time.Second, Interval: -1, Count: -1}))
			local, remote := client.LocalAddr().(*net.TCPAddr).AddrPort(), client.RemoteAddr().(*net.TCPAddr).AddrPort()
			e, err := Lookup(local, remote, 0)
			require.NoError(t, err)
			assert.EqualValues(t, 1, e.State)
			assert.EqualValues(t, 2, e.Timer)
			assert.InDelta(t, 100, e.Left.Seconds(), 5)
			_, err = Lookup(local, remote, e.Inode)
			require.NoError(t, err)
			_, err = Lookup(local, remote, e.Inode+1)
			require.ErrorIs(t, err, ErrNotFound)
			e, err = Lookup(remote, local, 0)
			require.NoError(t, err)
			assert.Zero(t, e.Timer)
			server.Close()
		})
	}
	n := 0
	files, err := Open()
	require.NoError(t, err)
	require.NoError(t, Walk(files, func(*Entry) bool { n++; return false }))
	assert.LessOrEqual(t, n, 1, "false ends it")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("0: 0100007F:1F90 0200007F:C350 01 00000000:00000000 02:000026E8 00000000 1000 3 4711"))
	f.Fuzz(func(_ *testing.T, line []byte) { new(Entry).parse(line) })
}
