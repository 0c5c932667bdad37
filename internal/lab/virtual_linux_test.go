package lab

import (
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/capture"
	"github.com/tcpkeepalive/keepalive/internal/segment"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// virtual is the environment variable that is set if time is virtual, so that hours take
// seconds. Its value does not matter.
const virtual = "KEEPALIVE_TEST_VIRTUAL_TIME"

// kernelHZ is CONFIG_HZ of the kernels that scripts/virtualtime boots.
const kernelHZ = 250

func needVirtualTime(t *testing.T) {
	t.Helper()
	if os.Getenv(virtual) == "" {
		t.Skip("takes hours; scripts/virtualtime runs it in virtual time")
	}
	t.Parallel()
}

// With the settings that people use, up to the 7200/75/9 of Linux, a dead peer is noticed
// within the bounds of timing.DetectionBounds for this HZ.
func TestVirtualDetection(t *testing.T) {
	needVirtualTime(t)
	s := time.Second
	for name, tt := range map[string]struct {
		cfg   sockopt.Config
		write bool
	}{
		"Linux' defaults":                         {sockopt.Config{Idle: 7200 * s, Interval: 75 * s, Count: 9}, false},
		"Go's defaults":                           {sockopt.Config{Idle: 15 * s, Interval: 15 * s, Count: 9}, false},
		"recommended":                             {sockopt.Recommended(), false},
		"recommended, in flight":                  {sockopt.Recommended(), true},
		"a plan for 350 s":                        {sockopt.Config{Idle: 262 * s, Interval: 27 * s, Count: 3, UserTimeout: 350 * s}, false},
		"a plan for 350 s, flight":                {sockopt.Config{Idle: 262 * s, Interval: 27 * s, Count: 3, UserTimeout: 350 * s}, true},
		"a user timeout beyond the count":         {sockopt.Config{Idle: 10 * s, Interval: 5 * s, Count: 3, UserTimeout: 60 * s}, false},
		"a user timeout that cuts the count":      {sockopt.Config{Idle: 10 * s, Interval: 5 * s, Count: 9, UserTimeout: 12 * s}, false},
		"in flight without a user timeout":        {sockopt.Config{Idle: 10 * s, Interval: 5 * s, Count: 3}, true},
		"no keepalive, a user timeout, in flight": {sockopt.Config{Disabled: true, UserTimeout: 30 * s}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
			require.NoError(t, sockopt.Set(client, tt.cfg))
			settings, err := sockopt.Get(client)
			require.NoError(t, err)
			bounds, err := timing.DetectionBounds(settings, timing.Conditions{RTT: time.Millisecond, HZ: kernelHZ})
			require.NoError(t, err)
			bound := bounds[timing.PhaseIdle]
			testkit.DropReceived(t, server)
			began := time.Now()
			if tt.write {
				bound = bounds[timing.PhaseInFlight]
				_, err := client.Write([]byte{1})
				require.NoError(t, err)
			}
			_, err = client.Read(make([]byte, 1))
			took := time.Since(began)
			t.Logf("%.1f s; promised %.1f to %.1f s", took.Seconds(), bound.Earliest.Seconds(), bound.Latest.Seconds())
			assert.Equal(t, sockopt.PeerTimeout, sockopt.CauseOf(err), "%v", err)
			assert.GreaterOrEqual(t, took, bound.Earliest-time.Second)
			assert.LessOrEqual(t, took, bound.Latest)
		})
	}
}

// Connections become idle at many phases of the kernel's timers, on paths with timeouts of
// 350 s and 60 s. The first probe is never later than the worst case of a plan, and with an
// idle time that a plan refuses it does come too late.
func TestVirtualPhases(t *testing.T) {
	needVirtualTime(t)
	const connections = 24
	var mu sync.Mutex
	silences := map[[2]string][]time.Duration{} // by both addresses: a port may serve twice
	c, err := capture.Open()
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		var tracker segment.Tracker
		for {
			select {
			case <-done:
				return
			default:
			}
			p, ok, err := c.Next()
			if err != nil || !ok {
				continue
			}
			s, ok := segment.Parse(p.Data)
			if !ok {
				continue
			}
			s.Time = p.Time
			for _, e := range tracker.Add(s) {
				if e.Kind == segment.Probe {
					mu.Lock()
					ends := [2]string{e.Src.String(), e.Dst.String()}
					silences[ends] = append(silences[ends], e.Since)
					mu.Unlock()
				}
			}
		}
	})
	// The parallel subtests share the capture; t.Run returns when all of them have ended.
	t.Run("phases", func(t *testing.T) {
		for _, tt := range []struct{ timeout, idle int }{
			{350, 345}, {350, 330}, {350, 300}, {60, 59}, {60, 57}, {60, 50},
		} {
			cfg := sockopt.Config{Idle: time.Duration(tt.idle) * time.Second, Interval: 15 * time.Second, Count: 9, UserTimeout: sockopt.NoUserTimeout}
			t.Run(cfg.Idle.String(), func(t *testing.T) {
				t.Parallel()
				var clients []net.Conn
				for i := range connections {
					time.Sleep(time.Duration(i) * 700 * time.Millisecond)
					client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
					require.NoError(t, sockopt.Set(client, cfg))
					_, err := client.Write([]byte{1})
					require.NoError(t, err)
					clients = append(clients, client)
				}
				time.Sleep(cfg.Idle*5/4 + 20*time.Second)
				timeout := time.Duration(tt.timeout) * time.Second
				settings, err := sockopt.Get(clients[0])
				require.NoError(t, err)
				r := align.Request{
					Path: []align.Profile{{ID: "box", Timeout: timeout, Refreshed: platform.Yes}},
					HZ:   kernelHZ, RTT: time.Millisecond, LostProbes: -1,
				}
				a, err := r.Assess(settings)
				require.NoError(t, err)
				late, longest := 0, time.Duration(0)
				mu.Lock()
				defer mu.Unlock()
				for _, client := range clients {
					seen := silences[[2]string{client.LocalAddr().String(), client.RemoteAddr().String()}]
					require.NotEmpty(t, seen)
					longest = max(longest, seen[0])
					if seen[0] >= timeout {
						late++
					}
					assert.GreaterOrEqual(t, seen[0], cfg.Idle-10*time.Millisecond)
				}
				t.Logf("timeout %s, idle %s: %d of %d too late, longest %.2f s of at most %.2f s: %s",
					timeout, cfg.Idle, late, connections, longest.Seconds(), a.Period.Seconds(), a.Verdict)
				assert.LessOrEqual(t, longest, a.Period+20*time.Millisecond)
				assert.Equal(t, a.Verdict == align.Loses, late > 0)
			})
		}
	})
	close(done)
	wg.Wait()
}
