package transport_test

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// Close while another goroutine reads interrupts the reader at once: nothing is
// drained. Under the race detector, this is what it watches.
func TestCloseInterruptsAReader(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "a little")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}, nil)
	// A Close that drained would take as long as this.
	rt := newTransport(t, transport.Options{DrainTime: 30 * time.Second})
	for range 5 {
		req := must(http.NewRequest(http.MethodGet, server.URL, nil))
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		read := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			b := make([]byte, 100)
			n, err := resp.Body.Read(b)
			assert.NoError(t, err)
			assert.Positive(t, n)
			close(read)
			_, err = io.Copy(io.Discard, resp.Body)
			assert.Error(t, err)
		})
		<-read
		time.Sleep(20 * time.Millisecond) // it blocks in Read
		began := time.Now()
		assert.NoError(t, resp.Body.Close())
		assert.Less(t, time.Since(began), 15*time.Second)
		wg.Wait()
		assert.NoError(t, resp.Body.Close(), "again")
	}
	s := rt.Stats()
	assert.Zero(t, s.Drained)
	assert.Zero(t, s.PeerClosed+s.Dropped+s.LostRaces, "%+v", s)
}

// Whoever closes and reads at the same time gets what there is, or an error.
func TestCloseAndReadAtTheSameTime(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 50_000)) }, nil)
	rt := newTransport(t, transport.Options{})
	for i := range 200 {
		resp, err := rt.RoundTrip(must(http.NewRequest(http.MethodGet, server.URL, nil)))
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() { io.Copy(io.Discard, resp.Body) })
		wg.Go(func() {
			time.Sleep(time.Duration(i) * time.Microsecond)
			resp.Body.Close()
		})
		wg.Go(func() { resp.Body.Close() })
		wg.Wait()
	}
	assert.Equal(t, 50_000, len(read(t, rt, server.URL)))
	assert.Zero(t, rt.Stats().LostRaces)
}
