package lab

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/timing"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// roundTrip is the round-trip time of the wires on which detection is measured.
const roundTrip = 100 * time.Millisecond

// detecting is a Config by which a dead peer is noticed after 3 s.
var detecting = sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 2, UserTimeout: 3 * time.Second}

// In each phase the death of the peer is noticed within the bounds of
// timing.DetectionBounds. A connection of package net beside it has not noticed anything by
// then.
func TestDetectionOnTheWire(t *testing.T) {
	t.Parallel()
	const never = -1
	for name, tt := range map[string]struct {
		phase timing.Phase
		lose  func(toServer bool, packet []byte) bool
		write time.Duration // when the program writes, after the death
	}{
		"idle":                       {timing.PhaseIdle, everything, never},
		"idle, only to the server":   {timing.PhaseIdle, toServer, never},
		"idle, only to the client":   {timing.PhaseIdle, toClient, never},
		"in flight":                  {timing.PhaseInFlight, everything, 0},
		"in flight, only the answer": {timing.PhaseInFlight, toClient, 0},
		"late write":                 {timing.PhaseLateWrite, everything, 2500 * time.Millisecond},
		"zero window":                {timing.PhaseZeroWindow, everything, never},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.phase == timing.PhaseLateWrite {
				testkit.Long(t)
			}
			w := NewWire(t, roundTrip/2)
			standard, _ := onWire(t, w, goSide)
			client, _ := onWire(t, w, ours(detecting, false))
			if tt.phase == timing.PhaseZeroWindow {
				fill(t, standard)
				fill(t, client)
			}
			bounds := boundsOf(t, client, roundTrip)
			bound := bounds[tt.phase]
			require.True(t, bound.Promised())

			silent := silentFor(t, client)
			began := time.Now()
			w.Lose(tt.lose)
			written := make(chan error, 1)
			if tt.write != never {
				time.AfterFunc(tt.write, func() {
					_, err := client.Write([]byte{1})
					standard.Write([]byte{1})
					written <- err
				})
			}
			err := ends(client, 2*bound.Latest)
			if errors.Is(err, io.EOF) { // on a busy machine the write has reported the end
				err = <-written
			}
			took := time.Since(began)
			t.Logf("%.2f s, promised %.2f s", took.Seconds(), bound.Latest.Seconds())
			assert.Equal(t, sockopt.PeerTimeout, sockopt.CauseOf(err), "%v", err)
			assert.LessOrEqual(t, took, bound.Latest+machine.late(began))
			// The time counts from the last segment, which came before the path broke.
			assert.GreaterOrEqual(t, took, min(bound.Earliest, bounds[timing.PhaseIdle].Earliest)-silent-roundTrip)
			assertOpen(t, standard, began.Add(bound.Latest))
		})
	}
}

// assertOpen waits until then, and asserts that the connection has not ended.
func assertOpen(t *testing.T, c net.Conn, then time.Time) {
	t.Helper()
	time.Sleep(time.Until(then))
	assert.ErrorIs(t, ends(c, 10*time.Millisecond), os.ErrDeadlineExceeded)
}

// The SYN gets no answer, or the answer is lost. The user timeout ends the attempt, while
// package net continues.
func TestAConnectionThatIsNeverMade(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(bool, []byte) bool{"SYN lost": toServer, "its answer lost": toClient} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := NewWire(t, roundTrip/2)
			l := listenOn(t, w.Server, WireServer+":0")
			before, _ := onWire(t, w, ours(detecting, false))
			bound := boundsOf(t, before, roundTrip)[timing.PhaseConnect]
			require.True(t, bound.Promised())
			w.Lose(lose)

			ctx, cancel := context.WithTimeout(t.Context(), bound.Latest)
			defer cancel()
			var wg sync.WaitGroup
			wg.Go(func() {
				err := w.Client.Do(func() error {
					_, err := new(net.Dialer).DialContext(ctx, "tcp4", l.Addr().String())
					return err
				})
				var timeout net.Error
				assert.True(t, errors.As(err, &timeout) && timeout.Timeout(), "%v", err)
				assert.NotErrorIs(t, err, unix.ETIMEDOUT, "package net was still at it")
			})
			began := time.Now()
			err := w.Client.Do(func() error {
				d := dialer.Dialer{Config: detecting, UserTimeoutBeforeConnect: true}
				_, err := d.Dial("tcp4", l.Addr().String())
				return err
			})
			took := time.Since(began)
			t.Logf("%.2f s, promised %.2f s", took.Seconds(), bound.Latest.Seconds())
			assert.ErrorIs(t, err, unix.ETIMEDOUT)
			assert.Equal(t, sockopt.DialFailed, sockopt.CauseOf(err))
			assert.LessOrEqual(t, took, bound.Latest+machine.late(began))
			assert.GreaterOrEqual(t, took, bound.Earliest)
			wg.Wait()
		})
	}
}

// The window of a live peer that does not read is full. A user timeout gives up such a peer
// too; keepalive alone does not.
func TestALivePeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		userTimeout time.Duration
		want        sockopt.Cause
	}{
		"with a user timeout": {3 * time.Second, sockopt.PeerTimeout},
		"without":             {sockopt.NoUserTimeout, sockopt.Deadline},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := sockopt.Config{Idle: time.Second, Interval: time.Second, Count: 2, UserTimeout: tt.userTimeout}
			client, _ := onWire(t, NewWire(t, 0), ours(cfg, false))
			fill(t, client)
			err := ends(client, 6*time.Second)
			assert.Equal(t, tt.want, sockopt.CauseOf(err), "%v", err)
		})
	}
}

// This is the first exception in the doc of DetectionBounds, for which there is no bound. Only
// packets to the peer are lost while the peer has unacknowledged data. Each of its
// retransmissions is a sign of life, and the time between them doubles.
func TestAPeerThatStillHasData(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	w := NewWire(t, 0) // where retransmission begins early, so that the long gap comes early
	client, server := onWire(t, w, ours(detecting, false))
	bound := boundsOf(t, client, roundTrip)[timing.PhaseIdle]
	began := time.Now()
	w.Lose(toServer)
	_, err := server.Write([]byte{1})
	require.NoError(t, err)
	err = ends(client, 6*bound.Latest)
	took := time.Since(began)
	t.Logf("%.2f s; %.2f s without that data", took.Seconds(), bound.Latest.Seconds())
	assert.Equal(t, sockopt.PeerTimeout, sockopt.CauseOf(err), "%v", err)
	assert.Greater(t, took, bound.Latest)
	// One gap between its retransmissions is longer than keepalive needs. Which one that is
	// depends on how late this process forwards them on a busy machine.
	assert.LessOrEqual(t, took, 4*bound.Latest)
}

// This is the other exception. Each write postpones the retransmission timer as long as the
// last loss probe is not answered, which takes two round trips. If these are short, the bound
// holds.
func TestAProgramThatWritesAllTheTime(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		roundTrip time.Duration
		promised  bool
	}{
		"a short round trip": {0, true},
		"a long one":         {roundTrip, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var client net.Conn
			var lose func()
			if tt.promised {
				// Only kernels forward these packets. If this process forwarded them, as on a
				// Wire, a busy machine would make round trips long.
				b := NewBalancer(t, time.Minute, Drops)
				client, lose = connectThrough(t, b, ours(detecting, false), plainSide), b.Break
				settle(t, client)
			} else {
				w := NewWire(t, tt.roundTrip/2)
				client, _ = onWire(t, w, ours(detecting, false))
				lose = w.Break
			}
			bound := boundsOf(t, client, max(tt.roundTrip, time.Millisecond))[timing.PhaseInFlight]
			atRest := boundsAt(t, client, tt.roundTrip)[timing.PhaseInFlight]
			began := time.Now()
			lose()
			go func() {
				for range time.Tick(100 * time.Millisecond) {
					if _, err := client.Write([]byte{1}); err != nil {
						return
					}
				}
			}()
			err := ends(client, 20*time.Second)
			took := time.Since(began)
			t.Logf("%.2f s; promised to others: %.2f s", took.Seconds(), bound.Latest.Seconds())
			assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
			if tt.promised {
				assert.LessOrEqual(t, took, bound.Latest+machine.late(began))
			} else {
				assert.Greater(t, took, atRest.Latest, "or the doc of DetectionBounds promises too little")
			}
		})
	}
}
