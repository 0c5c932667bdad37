//go:build !plan9

// The library that reads the files does not build for Plan 9.
package pcapng_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/pcapng"
)

// TestAnotherReader: a library that reads such files finds what was written, to the
// nanosecond.
func TestAnotherReader(t *testing.T) {
	t.Parallel()
	const snap, longest = 48, 60
	var file bytes.Buffer
	w, err := pcapng.NewWriter(&file, snap)
	require.NoError(t, err)
	packet := bytes.Repeat([]byte{0xab}, longest)
	began := time.Unix(1792573697, 123456789)
	at := func(i int) time.Time { return began.Add(time.Duration(i) * 1000000007) }
	for i := range longest {
		require.NoError(t, w.Write(at(i), packet[:min(i, snap)], i))
	}

	r, err := pcapgo.NewNgReader(&file, pcapgo.NgReaderOptions{})
	require.NoError(t, err)
	assert.Equal(t, layers.LinkTypeRaw, r.LinkType())
	for i := range longest {
		data, info, err := r.ReadPacketData()
		require.NoError(t, err)
		assert.Equal(t, packet[:min(i, snap)], data)
		assert.Equal(t, min(i, snap), info.CaptureLength)
		assert.Equal(t, i, info.Length)
		assert.True(t, at(i).Equal(info.Timestamp), "%s", info.Timestamp)
	}
	_, _, err = r.ReadPacketData()
	assert.Equal(t, io.EOF, err)
}

// TestFull: a disk that is full is an error.
func TestFull(t *testing.T) {
	t.Parallel()
	_, err := pcapng.NewWriter(full{}, 100)
	assert.ErrorIs(t, err, io.ErrShortWrite)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
