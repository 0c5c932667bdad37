package segment_test

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/segment"
)

func packet(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	require.NoError(t, err)
	return b
}

const (
	ip4   = "4500 0030 0001 4000 4006 0000 0a000001 0a000002" // 48 bytes
	ip6   = "6000 0000 001c 0640 20010db8000000000000000000000001 20010db8000000000000000000000002"
	tcp20 = "a8ca 1538 00000010 00000020 5018 0040 0000 0000" // 43210 to 5432, PSH and ACK
)

func TestParse(t *testing.T) {
	t.Parallel()
	s, ok := segment.Parse(packet(t, ip4+tcp20))
	require.True(t, ok, "the data need not be there")
	assert.Equal(t, segment.Segment{
		Src: netip.MustParseAddrPort("10.0.0.1:43210"), Dst: netip.MustParseAddrPort("10.0.0.2:5432"),
		Seq: 16, Ack: 32, Flags: segment.PSH | segment.ACK, Window: 64, Len: 8,
	}, s)

	s, ok = segment.Parse(packet(t, ip6+tcp20))
	require.True(t, ok)
	assert.Equal(t, "[2001:db8::1]:43210", s.Src.String())
	assert.Equal(t, 8, s.Len)

	// A hop-by-hop header of 8 bytes before TCP.
	extended := strings.Replace(ip6, "001c 06", "0024 00", 1) + "0600 000000000000" + tcp20
	s, ok = segment.Parse(packet(t, extended))
	require.True(t, ok)
	assert.Equal(t, 8, s.Len)

	// Padding of a short frame is no data.
	s, ok = segment.Parse(append(packet(t, strings.Replace(ip4, "0030", "0028", 1)+tcp20), make([]byte, 6)...))
	require.True(t, ok)
	assert.Zero(t, s.Len)

	for name, text := range map[string]string{
		"nothing":              "",
		"IP version 5":         "55",
		"short IP":             "4500 0030",
		"IP header too short":  strings.Replace(ip4, "45", "44", 1) + tcp20,
		"UDP":                  strings.Replace(ip4, "4006", "4011", 1) + tcp20,
		"a later fragment":     strings.Replace(ip4, "4000 4006", "0010 4006", 1) + tcp20,
		"short TCP":            ip4 + "a8ca 1538",
		"TCP header too short": ip4 + strings.Replace(tcp20, "5018", "4018", 1),
		"short IPv6":           "6000 0000",
		"UDP over IPv6":        strings.Replace(ip6, "0640", "1140", 1) + tcp20,
		"an extension that is longer than the packet": strings.Replace(ip6, "0640", "0040", 1) + "06ff 000000000000",
	} {
		_, ok := segment.Parse(packet(t, text))
		assert.False(t, ok, name)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{ip4 + tcp20, ip6 + tcp20} {
		b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	var tracker segment.Tracker
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := segment.Parse(b)
		if !ok {
			return
		}
		if s.Len < 0 || s.Len > 65535 {
			t.Errorf("length %d", s.Len)
		}
		tracker.Add(s)
	})
}

// A conversation is what two ends send; "c" is the client, "s" the server.
type said struct {
	who      string
	after    time.Duration
	seq, ack uint32
	flags    segment.Flags
	window   uint16
	length   int
	want     string // what it is; "" where that is not known yet
}

// begins is the time before a SYN of the next connection.
const begins = time.Minute

func TestTracker(t *testing.T) {
	t.Parallel()
	const (
		ack = segment.ACK
		syn = segment.SYN
		rst = segment.RST
		fin = segment.FIN
		ms  = time.Millisecond
	)
	opening := []said{
		{"c", 0, 99, 0, syn, 64, 0, "SYN"},
		{"s", ms, 499, 100, syn | ack, 64, 0, "SYN"},
		{"c", ms, 100, 500, ack, 64, 0, "ack"},
		{"c", ms, 100, 500, ack, 64, 1, "data"},
		{"s", ms, 500, 101, ack, 64, 0, "ack"},
	}
	for name, rows := range map[string][]said{
		"an answered probe": {
			{"c", time.Second, 100, 500, ack, 64, 0, "probe"},
			{"s", ms, 500, 101, ack, 64, 0, "answer"},
			{"c", time.Second, 100, 500, ack, 64, 0, "probe"},
		},
		"the addresses are used again, and the numbers are lower": {
			{"c", time.Second, 101, 500, fin | ack, 64, 0, "FIN"},
			{"s", ms, 500, 102, fin | ack, 64, 0, "FIN"},
			{"c", ms, 102, 501, ack, 64, 0, "ack"},
			{"c", begins, 9, 0, syn, 64, 0, "SYN"},
			{"c", time.Second, 9, 0, syn, 64, 0, "SYN"}, // again
			{"s", ms, 29, 10, syn | ack, 64, 0, "SYN"},
			{"c", ms, 10, 30, ack, 64, 0, "ack"},
			{"c", time.Second, 9, 30, ack, 64, 0, "probe"},
			{"s", ms, 30, 10, ack, 64, 0, "answer"},
		},
		"unanswered probes and the reset": {
			{"c", time.Second, 100, 500, ack, 64, 0, "probe"},
			{"c", time.Second, 100, 500, ack, 64, 0, "probe 2"},
			{"c", time.Second, 100, 500, ack, 64, 0, "probe 3"},
			{"c", time.Second, 101, 500, rst | ack, 0, 0, "RST 3"},
		},
		"a probe with an octet, as a BSD sends it": {
			{"c", time.Second, 100, 500, ack, 64, 1, "probe"},
			{"s", ms, 500, 101, ack, 64, 0, "answer"},
		},
		"one octet that is sent again is no probe": {
			{"c", time.Second, 101, 500, ack, 64, 1, "data"},
			{"c", time.Second, 101, 500, ack, 64, 1, "retransmission"},
		},
		"window probes": {
			{"s", ms, 500, 101, ack, 0, 0, "ack"}, // it stopped reading
			{"c", time.Second, 100, 500, ack, 64, 0, "window probe"},
			{"s", ms, 500, 101, ack, 0, 0, "answer"},
			{"c", time.Second, 100, 500, ack, 64, 0, "window probe"},
		},
		"both ends probe": {
			{"c", time.Second, 100, 500, ack, 64, 0, "probe"},
			{"s", ms, 500, 101, ack, 64, 0, "answer"},
			{"s", ms, 499, 101, ack, 64, 0, "probe"},
			{"c", ms, 101, 500, ack, 64, 0, "answer"},
		},
		"sequence numbers that wrap": {
			{"c", ms, 101, 500, ack, 64, 1 << 16, "data"},
			{"c", ms, 101 + 1<<16, 500, ack, 64, 1 << 16, "data"},
			{"s", ms, 500, 101 + 1<<17, ack, 64, 0, "ack"},
			{"c", time.Second, 100 + 1<<17, 500, ack, 64, 0, "probe"},
		},
		"the end": {
			{"c", ms, 101, 500, fin | ack, 64, 0, "FIN"},
			{"s", ms, 500, 102, ack, 64, 0, "ack"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			converse(t, append(append([]said(nil), opening...), rows...))
		})
	}
	for name, rows := range map[string][]said{
		"seen from its first probe on, which is answered": {
			{"c", 0, 100, 500, ack, 64, 0, ""},
			{"s", ms, 500, 101, ack, 64, 0, "probe,answer"},
			{"c", time.Second, 100, 500, ack, 64, 0, "probe"},
		},
		"seen from a probe on that is not answered": {
			{"c", 0, 100, 500, ack, 64, 0, ""},
			{"c", time.Second, 100, 500, ack, 64, 0, "probe,probe 2"},
			{"c", time.Second, 100, 500, ack, 64, 0, "probe 3"},
		},
		"seen from an acknowledgement on": {
			{"c", 0, 100, 500, ack, 64, 0, ""},
			{"s", ms, 500, 100, ack, 64, 10, "ack,data"},
			{"c", ms, 100, 510, ack, 64, 0, "ack"},
			{"c", time.Second, 99, 510, ack, 64, 0, "probe"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			converse(t, rows)
		})
	}
}

func converse(t *testing.T, rows []said) {
	t.Helper()
	client, server := netip.MustParseAddrPort("10.0.0.1:43210"), netip.MustParseAddrPort("10.0.0.2:5432")
	var tracker segment.Tracker
	at := time.Unix(1, 0)
	for i, r := range rows {
		at = at.Add(r.after)
		s := segment.Segment{Time: at, Src: client, Dst: server, Seq: r.seq, Ack: r.ack, Flags: r.flags, Window: r.window, Len: r.length}
		if r.who == "s" {
			s.Src, s.Dst = server, client
		}
		var got []string
		events := tracker.Add(s)
		for _, e := range events {
			text := e.Kind.String()
			if e.Unanswered > 1 {
				text += " " + string(rune('0'+e.Unanswered))
			}
			got = append(got, text)
		}
		require.Equal(t, r.want, strings.Join(got, ","), "row %d: %+v", i, r)
		if n := len(events); n > 0 && i > 0 {
			since := r.after
			if r.want == "SYN" && r.after == begins {
				since = 0 // it is the first of its connection
			}
			assert.Equal(t, since, events[n-1].Since)
		}
	}
}
