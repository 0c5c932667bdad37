package demo

import (
	"context"
	"encoding/json"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestDemoSucceedsAndShowsAllThreeWays(t *testing.T) {
	code, out, errs := command("demo")
	assert.Equal(t, exit.OK, code, out+errs)
	assert.Empty(t, errs)
	assert.Contains(t, out, "ok: ")
	assert.NotContains(t, out, "!!")
	for _, want := range []string{"library: ", "default: ", "naive: "} {
		assert.Contains(t, out, want)
	}
	assert.Equal(t, 2, strings.Count(out, "= as asked"))
	assert.Equal(t, 2, strings.Count(out, "< set by package net"))
	assert.Equal(t, 2, strings.Count(out, "< overwritten by package net"))
}

func TestDemoJSONSaysTheSame(t *testing.T) {
	code, out, errs := command("demo", "--json")
	require.Equal(t, exit.OK, code, out+errs)
	var r struct {
		Platform string
		OK       bool
		SS       string
		Sockets  []struct {
			Maker, End, Local, Peer, Asked, Expected, SS string
			OK                                           bool
			Settings                                     map[string]any
			Timer                                        map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	assert.True(t, r.OK)
	assert.Equal(t, platform.Current().Title, r.Platform)
	require.Len(t, r.Sockets, 6)
	for i, s := range r.Sockets {
		assert.True(t, s.OK)
		assert.Equal(t, []string{"library", "default", "naive"}[i/2], s.Maker)
		assert.Equal(t, []string{"dialed", "accepted"}[i%2], s.End)
		assert.Equal(t, s.Maker == "default", s.Asked == "")
	}
	if runtime.GOOS != "linux" {
		return
	}
	_, noSS := exec.LookPath("ss")
	for _, s := range r.Sockets {
		idle, interval, count := 30.0, 10.0, 3.0
		if s.Maker != "library" {
			idle, interval, count = 15, 15, 9
		}
		assert.Equal(t, true, s.Settings["keepalive"])
		assert.Equal(t, idle, s.Settings["idle_seconds"])
		assert.Equal(t, interval, s.Settings["interval_seconds"])
		assert.Equal(t, count, s.Settings["count"])
		assert.Equal(t, "keepalive", s.Timer["kind"], s.Timer)
		assert.InDelta(t, idle, s.Timer["left_seconds"], 2)
		if noSS == nil {
			assert.Contains(t, s.SS, s.Local+" "+s.Peer)
			assert.Contains(t, s.SS, "timer:(keepalive,")
		}
	}
}

func TestDemoAsksForTheGivenConfig(t *testing.T) {
	code, out, errs := command("demo", "--config", "off")
	require.Equal(t, exit.OK, code, out+errs)
	assert.Equal(t, 4, strings.Count(out, "asked   off"))
	assert.Contains(t, out, "kernel  off ")
}

func TestDemoShowsRoundingAsRounding(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the units are those of Linux")
	}
	code, out, errs := command("demo", "--config", "idle=0.5s,interval=10s,count=3")
	require.Equal(t, exit.OK, code, out+errs)
	assert.Contains(t, out, "warning: idle: 500ms is rounded up to 1s: TCP_KEEPIDLE counts in steps of 1s")
	assert.Equal(t, 2, strings.Count(out, "= as asked, rounded up\n"))
	assert.Equal(t, 2, strings.Count(out, "= as asked"))
	assert.Contains(t, out, "ok: the library's sockets have what was asked, rounded up;")
	assert.NotContains(t, out, "exactly")

	_, out, _ = command("demo", "--json", "--config", "idle=0.5s,interval=10s,count=3")
	assert.Equal(t, 2, strings.Count(out, `"rounded": true`))
	assert.Contains(t, out, `"warnings": [`)
}

func TestDemoWithoutSSSaysSo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	code, out, _ := command("demo")
	assert.Equal(t, exit.OK, code)
	assert.Contains(t, out, "ss: ss is not installed")
	assert.NotContains(t, out, "timer:(")
}

func TestWrongUseIsExit2AndNamesTheMistake(t *testing.T) {
	for name, row := range map[string]struct {
		args []string
		want string
	}{
		"not a config":      {[]string{"demo", "--config", "idle=soon"}, `idle="soon" is not a duration`},
		"out of range":      {[]string{"demo", "--config", "count=-1"}, "count=-1 is negative"},
		"too much":          {[]string{"demo", "--config", "count=99999999"}, "count=99999999 is too large"},
		"unknown flag":      {[]string{"demo", "--frob"}, "unknown flag: --frob"},
		"unknown command":   {[]string{"frob"}, `"frob" is not understood`},
		"too many argument": {[]string{"demo", "frob"}, `"frob" is not understood`},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "too much" && runtime.GOOS != "linux" {
				t.Skip("the limit is that of Linux")
			}
			code, out, errs := command(row.args...)
			assert.Equal(t, exit.Usage, code)
			assert.Empty(t, out)
			assert.Contains(t, errs, row.want)
		})
	}
}

// A demo that cannot fail proves nothing: look at sockets that are not what the
// report expects.
func TestDemoFailsWhereTheKernelHoldsSomethingElse(t *testing.T) {
	asked, _, err := sockopt.Recommended().Nearest()
	require.NoError(t, err)
	other := asked
	other.Disabled = true
	for i, want := range []string{"= as asked", "< set by package net", "< overwritten by package net"} {
		ways, err := makers(asked)
		require.NoError(t, err)
		m := &ways[i]
		p, err := m.connect(context.Background())
		require.NoError(t, err)
		defer p.close()

		good, err := look(m, asked, "dialed", p.dialed)
		require.NoError(t, err)
		assert.True(t, good.OK)
		assert.Equal(t, want, good.verdict())

		require.NoError(t, sockopt.Set(p.dialed, other))
		bad, err := look(m, asked, "dialed", p.dialed)
		require.NoError(t, err)
		assert.False(t, bad.OK, m.name)
		assert.Contains(t, bad.verdict(), "!! expected on ")
	}
}

// As it would be with a Go release that sets another idle time.
func TestDemoExits1WhenGoSetsSomethingElse(t *testing.T) {
	before := goSets
	t.Cleanup(func() { goSets = before })
	goSets.Idle = 16 * time.Second
	code, out, _ := command("demo")
	assert.Equal(t, exit.Problems, code)
	assert.Equal(t, 4, strings.Count(out, "!! expected on idle=16s"), out)
	assert.Equal(t, 2, strings.Count(out, "= as asked"))
	assert.Contains(t, out, "NOT ok")

	code, out, _ = command("demo", "--json")
	assert.Equal(t, exit.Problems, code)
	assert.Contains(t, out, `"ok": false`)
}

func TestOnlyWhatIsAskedAndReadableIsCompared(t *testing.T) {
	want := platform.Settings{Known: kernel.SetOf(platform.KeepAlive, platform.Idle), Enabled: true, Idle: time.Minute}
	got := want
	assert.True(t, same(got, want))
	got.Count, got.Known = 5, got.Known|kernel.SetOf(platform.Count)
	assert.True(t, same(got, want), "nobody asked for a count")
	got.Idle = time.Second
	assert.False(t, same(got, want))
	got.Known = kernel.SetOf(platform.KeepAlive)
	assert.True(t, same(got, want), "an unreadable idle time cannot be compared")
}

// On macOS the naive hook is not set on the listening socket, so an accepted one
// has nothing but what package net sets.
func TestWhatIsAskedOfAListenerMayNotReachItsConnections(t *testing.T) {
	cfg := sockopt.Config{Idle: time.Minute, UserTimeout: time.Minute}
	for name, want := range map[string]bool{"linux": true, "freebsd": false, "darwin": false} {
		table, ok := platform.Lookup(name)
		require.True(t, ok)
		rules := kernel.RulesOf(table)
		naive := &maker{asks: true, early: true, net: true}
		assert.Equal(t, want, expected(rules, naive, cfg, true).Known.Has(platform.UserTimeout), name)
		assert.True(t, expected(rules, naive, cfg, false).Known.Has(platform.UserTimeout), name)
		assert.Equal(t, 15*time.Second, expected(rules, naive, cfg, true).Idle, name)
		assert.True(t, expected(rules, &maker{asks: true}, cfg, true).Known.Has(platform.UserTimeout), name)
	}
}
