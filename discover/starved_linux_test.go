package discover_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// searcher is set in the process that is starved, to the address to measure.
const searcher = "KEEPALIVE_TEST_SEARCHER"

// search measures, and prints what was found.
func search(address string) {
	r, err := discover.Run(context.Background(), discover.Options{
		Address: address, Check: discover.Echo, Connections: 4, Wait: 5 * time.Second, Min: 2 * time.Second, Max: 8 * time.Second,
		Progress: func(p discover.Progress) { io.WriteString(os.Stderr, ".\n") },
	})
	if err != nil {
		panic(err)
	}
	for i := range r.Tests {
		r.Tests[i].Err = nil // which JSON cannot carry
	}
	json.NewEncoder(os.Stdout).Encode(r)
}

// TestAStarvedProcess sees things late, here as it is stopped in between. It does not take
// the time at which it sees them for that at which they came.
func TestAStarvedProcess(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		keepalive sockopt.Config // of the server
		serve     func(net.Conn)
		check     func(*testing.T, discover.Result)
	}{
		"the peer's period": {sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 3}, testkit.Echo,
			func(t *testing.T, r discover.Result) {
				assert.Zero(t, r.Dead)
				if r.MaskedBy != 0 { // on a busy machine it may not be seen often enough
					assert.InDelta(t, 1, r.MaskedBy.Seconds(), 0.25)
				}
			}},
		"a close": {sockopt.Config{Disabled: true}, testkit.EchoUntilIdle(2500 * time.Millisecond),
			func(t *testing.T, r discover.Result) {
				assert.Equal(t, "closed (FIN) while idle", r.End)
				assert.InDelta(t, 2.5, r.Dead.Seconds(), 0.5, "a busy server is late; it is seen after 3.5 s")
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "the peer's period" {
				testkit.Long(t)
			}
			lc := net.ListenConfig{KeepAlive: -1}
			l, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, sockopt.Set(l, tt.keepalive))
			testkit.Serve(t, l, tt.serve)
			c := exec.Command("/proc/self/exe")
			c.Env = append(os.Environ(), searcher+"="+l.Addr().String())
			var out strings.Builder
			c.Stdout = &out
			progress, err := c.StderrPipe()
			require.NoError(t, err)
			require.NoError(t, c.Start())
			t.Cleanup(func() { c.Process.Kill() })
			// It has begun, and waits in silence.
			_, err = bufio.NewReader(progress).ReadString('\n')
			require.NoError(t, err)
			require.NoError(t, c.Process.Signal(syscall.SIGSTOP))
			time.Sleep(3500 * time.Millisecond)
			require.NoError(t, c.Process.Signal(syscall.SIGCONT))
			go io.Copy(io.Discard, progress)
			require.NoError(t, c.Wait(), out.String())
			var r discover.Result
			require.NoError(t, json.Unmarshal([]byte(out.String()), &r), out.String())
			t.Log(&r)
			tt.check(t, r)
		})
	}
}
