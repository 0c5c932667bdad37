package ls

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func ls(t *testing.T, flags ...string) (out, errs string) {
	t.Helper()
	return lsEnding(t, exit.OK, flags...)
}

func lsEnding(t *testing.T, want int, flags ...string) (out, errs string) {
	t.Helper()
	return clitest.Ending(t, commands, want, append([]string{"ls"}, flags...)...)
}

func TestTheTable(t *testing.T) {
	system := testkit.Untouched()
	for _, row := range []struct {
		rule string
		cfg  sockopt.Config
		want string // the fields from the settings to the timer
		note string
	}{
		{"chosen", sockopt.Config{Idle: 100 * time.Second, Interval: 20 * time.Second, Count: 5, UserTimeout: 90 * time.Second},
			`on +100s +20s +5 +90s +keepalive 1m(39|40)s +1m(39|40)s +0 +ls.test\[\d+\] fd \d+$`, ""},
		{"Go's own", sockopt.Config{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9},
			`on:go +15s\*? +15s\*? +9\*? +off +keepalive 1[45]s +1[45]s +0 `, "on:go is 15 s"},
		{"the system's", sockopt.Config{Idle: 20 * time.Second}, fmt.Sprintf(`on +20s\*? +%ds\* +%d\* +off +keepalive (19|20)s`, system.Interval, system.Count), "* is the system's default"},
		{"off", sockopt.Config{Disabled: true}, fmt.Sprintf(`off +%ds\* +%ds\* +%d\* +off +- +- +0 `, system.Idle, system.Interval, system.Count), ""},
	} {
		out, errs := ls(t, clitest.Ours(t, row.cfg)...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		require.Len(t, lines, 2, row.rule)
		assert.Regexp(t, `^STATE +LOCAL +PEER +KEEPALIVE +IDLE +INTERVAL +COUNT +USER-TIMEOUT +TIMER +NEXT +PROBES +PROCESS$`, lines[0])
		assert.Regexp(t, `^ESTAB +127.0.0.1:\d+ +127.0.0.1:\d+ +`+row.want, lines[1], row.rule)
		assert.Contains(t, errs, row.note, row.rule)
		assert.NotContains(t, out, "\x1b", "no colors in a pipe")
	}
}

func TestTheTableWithoutProcesses(t *testing.T) {
	out, _ := ls(t, append(clitest.Ours(t, sockopt.Config{Idle: 100 * time.Second}), "--no-process")...)
	assert.NotContains(t, out, "PROCESS")
	assert.Regexp(t, `ESTAB .* on +\? +\? +\? +\? +keepalive 1m`, out, "the timer proves that keepalive is on; the rest is unknown")
	out, errs := lsEnding(t, exit.Nothing, "--local", "192.0.2.77")
	assert.Regexp(t, `^STATE .*PROCESS\n$`, out, "titles above nothing")
	assert.Equal(t, "keepalive: no socket matches\n", errs)
}

func TestASocketThatNobodyHasOpenHasALine(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	out, errs := lsEnding(t, exit.Unknown, "--local", l.Addr().String()) // it waits to be accepted
	assert.Regexp(t, `ESTAB .* \? +\? +\? +\? +- +- +0 +-\n`, strings.ReplaceAll(out, "on:go", "?"))
	assert.Contains(t, errs, "settings ? on 1 socket that no process has open: not yet accepted")
}

func TestWhatIsNotPermittedIsAQuestionMarkAndALine(t *testing.T) {
	clitest.InTurn(t)
	if os.Getenv("KEEPALIVE_TEST_FLAGS") == "" {
		clitest.TellChild(t, "KEEPALIVE_TEST_FLAGS", strings.Join(clitest.Ours(t, sockopt.Config{Idle: 100 * time.Second}), " "))
		clitest.TellChild(t, "KEEPALIVE_TEST_PARENT", fmt.Sprint(os.Getpid()))
	}
	if !testkit.InChildAsNobody(t) {
		return
	}
	flags := strings.Fields(os.Getenv("KEEPALIVE_TEST_FLAGS"))
	out, errs := lsEnding(t, exit.Denied, flags...)
	assert.Regexp(t, `on +\? +\? +\? +\? +keepalive 1m\S+ +\? +0 +\?`, out)
	assert.Contains(t, errs, "note: ? on 1 socket: the process belongs to another user")
	assert.Contains(t, errs, "CAP_SYS_PTRACE")
	out, _ = lsEnding(t, exit.Denied, append(flags, "--json")...)
	var r map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	for _, key := range []string{"keepalive", "idle_seconds", "processes", "next_probe_seconds", "go_defaults", "system_defaults"} {
		assert.Contains(t, r, key)
		assert.Nil(t, r[key], key)
	}
	code, _, errs := command("ls", "--pid", os.Getenv("KEEPALIVE_TEST_PARENT"))
	assert.Equal(t, exit.Denied, code, errs)
	assert.Contains(t, errs, "belong to another user, or it has more capabilities; this takes root")
}

func TestWithoutNetlinkLsSaysSo(t *testing.T) {
	clitest.InTurn(t)
	if !testkit.InChildWithoutNetlink(t) {
		return
	}
	flags := clitest.Ours(t, sockopt.Config{Idle: 100 * time.Second})
	for _, form := range []string{"--json=false", "--ss", "--netstat", "--json"} {
		out, errs := ls(t, append(flags, form)...)
		assert.Contains(t, out, "keepalive", form)
		assert.Contains(t, errs, "refuses sock_diag; this is what /proc/net/tcp shows", form)
	}
}

func TestWithoutAnySourceLsIsDenied(t *testing.T) {
	clitest.InTurn(t)
	if !testkit.InChildWithoutNetlink(t) {
		return
	}
	testkit.HideProc(t)
	code, out, errs := command("ls", "--ss")
	assert.Equal(t, exit.Denied, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "operation not permitted")
}

// The schema in the help is that of what is printed.
func TestJSONIsWhatTheSchemaSays(t *testing.T) {
	out, _ := ls(t, append(clitest.Ours(t, sockopt.Config{Idle: 100 * time.Second, Interval: 20 * time.Second, Count: 5, UserTimeout: 90 * time.Second}), "--json")...)
	require.Equal(t, 1, strings.Count(out, "\n"))
	var r map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	documented := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^  (\w+(?:, \w+)*)(?: |$)`).FindAllStringSubmatch(sockets.Schema, -1) {
		for name := range strings.SplitSeq(line[1], ", ") {
			documented[name] = true
		}
	}
	printed := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[sockets.Record]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			printed[name] = true
		}
	}
	assert.Equal(t, documented, printed)
	for key := range r {
		assert.True(t, documented[key], key)
	}
	for key, want := range map[string]any{
		"state": "ESTAB", "source": "sock_diag", "keepalive": true, "idle_seconds": 100.0, "interval_seconds": 20.0, "count": 5.0,
		"user_timeout_seconds": 90.0, "timer": "keepalive", "unanswered": 0.0, "go_defaults": false, "unacked": 0.0, "detection_seconds": 120.0,
		"system_defaults": []any{},
	} {
		assert.Equal(t, want, r[key], key)
	}
	for _, key := range []string{"timer_seconds", "next_probe_seconds"} {
		assert.InDelta(t, 98, r[key], 2.1, key)
	}
	assert.Contains(t, r["explanation"], "next probe in 1m")
	assert.EqualValues(t, os.Getpid(), r["processes"].([]any)[0].(map[string]any)["pid"])

	_, help, _ := command("ls", "--json", "--help")
	assert.Contains(t, help, sockets.Schema)
}

func TestPID(t *testing.T) {
	flags := clitest.Ours(t, sockopt.Config{Idle: 100 * time.Second})
	for _, form := range []string{"--json=false", "--ss", "--netstat", "--json"} {
		out, _ := ls(t, append(flags, form, "--pid", fmt.Sprint(os.Getpid()))...)
		assert.Contains(t, out, "keepalive", form)
		sleep := exec.Command("/bin/sleep", "60")
		require.NoError(t, sleep.Start())
		out, _ = lsEnding(t, exit.Nothing, append(flags, form, "--pid", fmt.Sprint(sleep.Process.Pid))...)
		assert.NotContains(t, out, "keepalive ", form, "another process")
		sleep.Process.Kill()
		sleep.Wait()
	}
}

func TestTheInstalledSS(t *testing.T) {
	for version, old := range map[string]bool{
		"6.10.0": true, "5.19.0": true, "v6.9.0-rc1": true, "ss200127": true,
		"6.11.0": false, "7.1.0": false, "v6.12.0": false, "unknown": false,
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "ss"), []byte("#!/bin/sh\necho 'ss utility, iproute2-"+version+"'\n"), 0o700))
		t.Setenv("PATH", dir)
		assert.Equal(t, old, installedIsOld(), version)
	}
	t.Setenv("PATH", t.TempDir())
	assert.False(t, installedIsOld(), "none is installed")
}

func TestCgroupsThatCannotBeOpened(t *testing.T) {
	var c cgroups
	assert.Equal(t, "unreachable:123456789abcdef", c.path(0x123456789abcdef))
	unix.Close(c.root)
}

// What the column STATE prints can be asked for.
func TestStatesAsPrinted(t *testing.T) {
	flags := clitest.Ours(t, sockopt.Config{Idle: 100 * time.Second})
	for _, s := range sockets.AllStates {
		code, _, errs := command("ls", "--no-process", "--local", "192.0.2.77", "--state", strings.ToLower(s.String()))
		assert.Equal(t, exit.Nothing, code, errs)
	}
	out, _ := ls(t, append(flags, "--state", "ESTAB")...)
	assert.Contains(t, out, "ESTAB")
	code, _, errs := command("ls", "--state", "established-")
	assert.Equal(t, exit.Usage, code)
	assert.Contains(t, errs, "did you mean established?")
}
