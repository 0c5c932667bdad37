package lab

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A request that may not be sent twice is sent just when the server's idle timeout ends. How
// many such requests fail depends on how long the client keeps connections; keepalive does
// not change it.
func TestReuseRace(t *testing.T) {
	t.Parallel()
	const (
		serverIdle = 200 * time.Millisecond
		clients    = 64
		rounds     = 15
	)
	for _, tt := range []struct {
		name       string
		clientIdle time.Duration
		fails      bool
	}{
		{"longer than the server's", 90 * time.Second, true},
		{"the server's", serverIdle, true},
		{"half of the server's", serverIdle / 2, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := NewWire(t, time.Millisecond)
			l := listenOn(t, w.Server, WireServer+":0")
			server := &http.Server{IdleTimeout: serverIdle, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
			})}
			go server.Serve(l)
			defer server.Close()
			var failed atomic.Int64
			var wg sync.WaitGroup
			for range clients {
				wg.Go(func() {
					rt := &http.Transport{IdleConnTimeout: tt.clientIdle, DialContext: func(ctx context.Context, network, address string) (c net.Conn, err error) {
						err = w.Client.Do(func() error {
							c, err = new(net.Dialer).DialContext(ctx, network, address)
							return err
						})
						return c, err
					}}
					defer rt.CloseIdleConnections()
					post := func() error {
						r, err := http.NewRequest("POST", "http://"+l.Addr().String(), struct{ io.Reader }{strings.NewReader("x")})
						if err != nil {
							return err
						}
						response, err := rt.RoundTrip(r)
						if err != nil {
							return err
						}
						_, err = io.Copy(io.Discard, response.Body)
						response.Body.Close()
						return err
					}
					if err := post(); !assert.NoError(t, err) {
						return
					}
					for range rounds {
						time.Sleep(serverIdle + time.Duration(rand.IntN(4000)-2000)*time.Microsecond)
						if post() != nil {
							failed.Add(1)
						}
					}
				})
			}
			wg.Wait()
			t.Logf("%d of %d failed (%.1f %%)", failed.Load(), clients*rounds, 100*float64(failed.Load())/(clients*rounds))
			if tt.fails {
				assert.Positive(t, failed.Load())
			} else { // none, but for a machine so busy that it drops connections late
				assert.Less(t, failed.Load(), int64(clients*rounds/100))
			}
		})
	}
}
