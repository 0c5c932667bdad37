package align_test

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// forgetsAfter is the timeout of a load balancer small enough to wait for more than one,
// and the smallest for which there is a plan that survives a lost probe.
const forgetsAfter = 3 * time.Second

// TestPlansHoldOnARealKernel: twenty connections through a load balancer that
// forgets live for longer than its timeout with the plan, for ten of them in the long
// tests, and are lost with an idle time that equals the timeout.
func TestPlansHoldOnARealKernel(t *testing.T) {
	t.Parallel()
	path := []align.Profile{{ID: "balancer", Timeout: forgetsAfter, Refreshed: platform.Yes}}
	plan, err := align.Request{Path: path, LostProbes: 1}.Plan()
	require.NoError(t, err)
	require.Equal(t, align.Survives, plan.Verdict)
	tooLate := plan.Config
	tooLate.Idle = forgetsAfter
	tooLate.Count, tooLate.UserTimeout = 1, sockopt.NoUserTimeout

	// A busy machine only makes it longer. The connections that are lost give up after
	// 4 s, and a timer that is late by an eighth.
	silence := forgetsAfter*3/2 + forgetsAfter/6
	if testkit.LongTestsRun() {
		silence = 10 * forgetsAfter
	}
	for name, forgets := range map[string]lab.Forgets{"RST": lab.Resets, "drop": lab.Drops} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := lab.NewBalancer(t, forgetsAfter, forgets)
			l := echo(t, b.Server)
			kept, lost := dial20(t, b, l, plan.Config), dial20(t, b, l, tooLate)
			time.Sleep(silence)
			for i, c := range kept {
				assert.NoError(t, ask(c), "connection %d of the plan %s", i, plan.Config)
			}
			for i, c := range lost {
				err := ask(c)
				assert.Error(t, err, "connection %d with %s", i, tooLate)
				assert.Contains(t, []sockopt.Cause{sockopt.Reset, sockopt.PeerTimeout}, sockopt.CauseOf(err), "%v", err)
			}
		})
	}
}

// echo serves in the namespace, without keepalive of its own.
func echo(t *testing.T, n *lab.Namespace) *net.TCPListener {
	t.Helper()
	lc := net.ListenConfig{KeepAlive: -1}
	var l net.Listener
	require.NoError(t, n.Do(func() (err error) {
		l, err = lc.Listen(context.Background(), "tcp4", ":0")
		return err
	}))
	testkit.Serve(t, l, testkit.Echo)
	return l.(*net.TCPListener)
}

// dial20 makes connections that were used once.
func dial20(t *testing.T, b *lab.Balancer, l *net.TCPListener, cfg sockopt.Config) []net.Conn {
	t.Helper()
	d, err := dialer.New(cfg)
	require.NoError(t, err)
	conns := make([]net.Conn, 20)
	for i := range conns {
		require.NoError(t, b.Client.Do(func() (err error) {
			conns[i], err = d.Dial("tcp", b.Address(l.Addr().(*net.TCPAddr).Port))
			return err
		}))
		t.Cleanup(func() { conns[i].Close() })
		require.NoError(t, ask(conns[i]))
	}
	return conns
}

// ask sends a byte and waits for the answer. A connection that is dead and does
// not say so is a deadline, which counts as an error of the test.
func ask(c net.Conn) error {
	err := testkit.Exchange(c, 5*time.Second)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("no answer, and no error")
	}
	return err
}

// TestDetectOnARealKernel: what a plan says about dead peers holds, in three
// phases.
func TestDetectOnARealKernel(t *testing.T) {
	t.Parallel()
	fromFailure := align.Request{Detect: 5 * time.Second, FromFailure: true, LostProbes: -1}
	if testkit.LongTestsRun() { // with two lost probes it is 8.6 s at least
		fromFailure.Detect, fromFailure.LostProbes = 10*time.Second, 0
	}
	for _, tt := range []struct {
		rule    string
		request align.Request
		writes  func(i int, p *align.Plan) time.Duration // after the break
		phase   timing.Phase
	}{
		{"idle", align.Request{Detect: 5 * time.Second}, nil, timing.PhaseIdle},
		{"in flight", align.Request{Detect: 5 * time.Second}, func(int, *align.Plan) time.Duration { return time.Millisecond }, timing.PhaseInFlight},
		{
			"from the failure, whenever the program writes", fromFailure,
			func(i int, p *align.Plan) time.Duration {
				return p.Detection.Idle.Earliest * time.Duration(i+1) / 21
			}, timing.PhaseLateWrite,
		},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			plan, err := tt.request.Plan()
			require.NoError(t, err)
			b := lab.NewBalancer(t, time.Hour, lab.Drops)
			conns := dial20(t, b, echo(t, b.Server), plan.Config)
			before := time.Now() // the last segments came before that
			b.Break()
			breaking := time.Since(before) // nft takes a moment, in which a probe may be answered
			longest := make(chan time.Duration)
			for i, c := range conns {
				go func() {
					since := before
					var err error
					if tt.writes != nil {
						time.Sleep(time.Until(before.Add(tt.writes(i, plan))))
						if tt.phase == timing.PhaseInFlight {
							since = time.Now()
						}
						c.SetDeadline(time.Time{})
						_, err = c.Write([]byte{1})
					}
					if err == nil { // the kernel says it once
						c.SetDeadline(before.Add(3 * tt.request.Detect))
						_, err = c.Read(make([]byte, 1))
					}
					took := time.Since(since)
					assert.Equal(t, sockopt.PeerTimeout, sockopt.CauseOf(err), "connection %d: %v", i, err)
					longest <- took
				}()
			}
			var most time.Duration
			for range conns {
				most = max(most, <-longest)
			}
			bound := plan.Detection.Bounds()[tt.phase].Latest
			t.Logf("%s: noticed after %.2f s at most; promised %.2f s of %s", plan.Config, most.Seconds(), bound.Seconds(), tt.request.Detect)
			const late = 250 * time.Millisecond // this program, on a busy machine
			assert.LessOrEqual(t, most, bound+breaking+late)
		})
	}
}
