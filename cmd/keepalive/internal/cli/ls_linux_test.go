package cli

import (
	"bytes"
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

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// ours limits ls to the sockets of one connection of this process.
func ours(t *testing.T, cfg sockopt.Config) (flags []string) {
	t.Helper()
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, cfg))
	return []string{"--local", client.LocalAddr().String(), "--peer", client.RemoteAddr().String()}
}

func ls(t *testing.T, flags ...string) (out, errs string) {
	t.Helper()
	return lsEnding(t, exitOK, flags...)
}

func lsEnding(t *testing.T, want int, flags ...string) (out, errs string) {
	t.Helper()
	code, out, errs := command(append([]string{"ls"}, flags...)...)
	require.Equal(t, want, code, out+errs)
	return out, errs
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
			`on +100s +20s +5 +90s +keepalive 1m(39|40)s +1m(39|40)s +0 +cli.test\[\d+\] fd \d+$`, ""},
		{"Go's own", sockopt.Config{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9},
			`on:go +15s\*? +15s\*? +9\*? +off +keepalive 1[45]s +1[45]s +0 `, "on:go is 15 s"},
		{"the system's", sockopt.Config{Idle: 20 * time.Second}, fmt.Sprintf(`on +20s\*? +%ds\* +%d\* +off +keepalive (19|20)s`, system.Interval, system.Count), "* is the system's default"},
		{"off", sockopt.Config{Disabled: true}, fmt.Sprintf(`off +%ds\* +%ds\* +%d\* +off +- +- +0 `, system.Idle, system.Interval, system.Count), ""},
	} {
		out, errs := ls(t, ours(t, row.cfg)...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		require.Len(t, lines, 2, row.rule)
		assert.Regexp(t, `^STATE +LOCAL +PEER +KEEPALIVE +IDLE +INTERVAL +COUNT +USER-TIMEOUT +TIMER +NEXT +PROBES +PROCESS$`, lines[0])
		assert.Regexp(t, `^ESTAB +127.0.0.1:\d+ +127.0.0.1:\d+ +`+row.want, lines[1], row.rule)
		assert.Contains(t, errs, row.note, row.rule)
		assert.NotContains(t, out, "\x1b", "no colors in a pipe")
	}
}

func TestTheTableWithoutProcesses(t *testing.T) {
	out, _ := ls(t, append(ours(t, sockopt.Config{Idle: 100 * time.Second}), "--no-process")...)
	assert.NotContains(t, out, "PROCESS")
	assert.Regexp(t, `ESTAB .* on +\? +\? +\? +\? +keepalive 1m`, out, "the timer proves that keepalive is on; the rest is unknown")
	out, errs := lsEnding(t, exitNothing, "--local", "192.0.2.77")
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
	out, errs := lsEnding(t, exitUnknown, "--local", l.Addr().String()) // it waits to be accepted
	assert.Regexp(t, `ESTAB .* \? +\? +\? +\? +- +- +0 +-\n`, strings.ReplaceAll(out, "on:go", "?"))
	assert.Contains(t, errs, "settings ? on 1 socket that no process has open: not yet accepted")
}

func TestWhatIsNotPermittedIsAQuestionMarkAndALine(t *testing.T) {
	inTurn(t)
	if os.Getenv("KEEPALIVE_TEST_FLAGS") == "" {
		tellChild(t, "KEEPALIVE_TEST_FLAGS", strings.Join(ours(t, sockopt.Config{Idle: 100 * time.Second}), " "))
		tellChild(t, "KEEPALIVE_TEST_PARENT", fmt.Sprint(os.Getpid()))
	}
	if !testkit.InChildAsNobody(t) {
		return
	}
	flags := strings.Fields(os.Getenv("KEEPALIVE_TEST_FLAGS"))
	out, errs := lsEnding(t, exitDenied, flags...)
	assert.Regexp(t, `on +\? +\? +\? +\? +keepalive 1m\S+ +\? +0 +\?`, out)
	assert.Contains(t, errs, "note: ? on 1 socket: the process belongs to another user")
	assert.Contains(t, errs, "CAP_SYS_PTRACE")
	out, _ = lsEnding(t, exitDenied, append(flags, "--json")...)
	var r map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	for _, key := range []string{"keepalive", "idle_seconds", "processes", "next_probe_seconds", "go_defaults", "system_defaults"} {
		assert.Contains(t, r, key)
		assert.Nil(t, r[key], key)
	}
	code, _, errs := command("ls", "--pid", os.Getenv("KEEPALIVE_TEST_PARENT"))
	assert.Equal(t, exitDenied, code, errs)
	assert.Contains(t, errs, "belong to another user, or it has more capabilities; this takes root")
}

func TestWithoutNetlinkLsSaysSo(t *testing.T) {
	inTurn(t)
	if !testkit.InChildWithoutNetlink(t) {
		return
	}
	flags := ours(t, sockopt.Config{Idle: 100 * time.Second})
	for _, form := range []string{"--json=false", "--ss", "--netstat", "--json"} {
		out, errs := ls(t, append(flags, form)...)
		assert.Contains(t, out, "keepalive", form)
		assert.Contains(t, errs, "refuses sock_diag; this is what /proc/net/tcp shows", form)
	}
}

func TestWithoutAnySourceLsIsDenied(t *testing.T) {
	inTurn(t)
	if !testkit.InChildWithoutNetlink(t) {
		return
	}
	testkit.HideProc(t)
	code, out, errs := command("ls", "--ss")
	assert.Equal(t, exitDenied, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "operation not permitted")
}

// The schema in the help is that of what is printed.
func TestJSONIsWhatTheSchemaSays(t *testing.T) {
	out, _ := ls(t, append(ours(t, sockopt.Config{Idle: 100 * time.Second, Interval: 20 * time.Second, Count: 5, UserTimeout: 90 * time.Second}), "--json")...)
	require.Equal(t, 1, strings.Count(out, "\n"))
	var r map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	documented := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^  (\w+(?:, \w+)*)(?: |$)`).FindAllStringSubmatch(schema, -1) {
		for name := range strings.SplitSeq(line[1], ", ") {
			documented[name] = true
		}
	}
	printed := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[record]()) {
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
	assert.Contains(t, r["verdict"], "next probe in 1m")
	assert.EqualValues(t, os.Getpid(), r["processes"].([]any)[0].(map[string]any)["pid"])

	_, help, _ := command("ls", "--json", "--help")
	assert.Contains(t, help, schema)
}

func TestPID(t *testing.T) {
	flags := ours(t, sockopt.Config{Idle: 100 * time.Second})
	for _, form := range []string{"--json=false", "--ss", "--netstat", "--json"} {
		out, _ := ls(t, append(flags, form, "--pid", fmt.Sprint(os.Getpid()))...)
		assert.Contains(t, out, "keepalive", form)
		sleep := exec.Command("/bin/sleep", "60")
		require.NoError(t, sleep.Start())
		out, _ = lsEnding(t, exitNothing, append(flags, form, "--pid", fmt.Sprint(sleep.Process.Pid))...)
		assert.NotContains(t, out, "keepalive ", form, "another process")
		sleep.Process.Kill()
		sleep.Wait()
	}
}

func TestWrongUse(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"ls extra", `"extra" is not understood; see keepalive ls --help`},
		{"ls --state sleeping", `--state "sleeping": want one of all, bound, close-wait`},
		{"ls --peer localhost:80", `--peer "localhost:80": "localhost" is neither an IP address nor a prefix`},
		{"ls --local 1.2.3.4:99999", `port "99999" is not a number from 1 to 65535`},
		{"ls --pid 0", "--pid 0: a process number is greater than 0"},
		{"watch --pid 0", "--pid 0: a process number is greater than 0"},
		{"check --path aws-nlb-tcp --pid 0", "--pid 0: a process number is greater than 0"},
		{"ls --netns x --all-netns", "--netns and --all-netns exclude each other"},
		{"ls --netns=", "--netns is empty"},
		{"ls --netns /dev/null", "/dev/null is not a network namespace"},
		{"ls --pid -3", "--pid -3: a process number is greater than 0"},
		{"ls --pid x", "--pid x: want a whole number"},
		{"ls --ss --json", "--json and --ss exclude each other"},
		{"ls --listening --state all", "--listening and --state exclude each other"},
		{"ls -4 -6", "--ipv4 and --ipv6 exclude each other"},
		{"ls --process", "--process and --extended are for --ss"},
		{"ls --bogus", "unknown flag"},
		{"watch --interval 1ms", "--interval 1ms: the shortest is 100ms"},
		{"watch --rounds 0", "--rounds 0: want 1 or more; without it watch does not end"},
		{"watch --interval 0", "--interval 0s: the shortest is 100ms"},
		{"watch --interval -5s", "--interval"},
		{"watch --sort nxt", "did you mean next"},
		{"watch --rounds -1", "--rounds -1: want 1 or more"},
		{"watch --sort size", `--sort "size": want none, next, timer, probes`},
		{"watch --state x", `--state "x"`},
		{"watch me", "is not understood"},
	} {
		code, out, errs := command(strings.Fields(row.line)...)
		assert.Equal(t, exitUsage, code, row.line)
		assert.Empty(t, out, row.line)
		assert.Contains(t, errs, row.want, row.line)
	}
}

func TestHelpAndCompletion(t *testing.T) {
	_, help, _ := command("--help")
	for _, want := range []string{"demo", "ls ", "watch", "completion", exitCodes} {
		assert.Contains(t, help, want)
	}
	for _, name := range []string{"ls", "watch"} {
		code, help, _ := command(name, "--help")
		assert.Equal(t, exitOK, code)
		assert.Contains(t, help, "Examples:")
		assert.Contains(t, help, "Exit codes, the same for every command:")
	}
	code, script, _ := command("completion", "bash")
	assert.Equal(t, exitOK, code)
	assert.Contains(t, script, "keepalive")
	_, states, _ := command("__complete", "ls", "--state", "")
	assert.Contains(t, states, "established\n")
	_, keys, _ := command("__complete", "watch", "--sort", "")
	assert.Contains(t, keys, "next\n")
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

// More lines than are kept back: none is lost, and those of IPv4 come first
// among those that were.
func TestTheAlignerKeepsEveryLine(t *testing.T) {
	var out bytes.Buffer
	a := aligner{out: &out}
	const n = 5000
	for i := range n {
		a.begin()
		a.later = i%2 == 1
		var b []byte
		for f := range ssFields {
			b = a.end(fmt.Appendf(b, "%d.%d", i, f))
		}
		a.line = b
		a.finish()
	}
	a.flush()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, lines, n)
	seen := map[string]bool{}
	late := false
	for i, line := range lines {
		first, _, _ := strings.Cut(line, ".")
		seen[first] = true
		odd := strings.ContainsAny(first[len(first)-1:], "13579")
		if i < 500 {
			late = late || odd
			assert.False(t, late && !odd)
		}
	}
	assert.Len(t, seen, n)
}

func TestShortTimes(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0.0s": 0, "9.4s": 9490 * time.Millisecond, "10s": 10 * time.Second, "59s": 59999 * time.Millisecond,
		"1m00s": time.Minute, "1m39s": 99 * time.Second, "59m59s": time.Hour - 1, "1h00m": time.Hour, "1h59m": 2*time.Hour - 1,
	} {
		assert.Equal(t, want, short(d))
	}
}

func TestCgroupsThatCannotBeOpened(t *testing.T) {
	var c cgroups
	assert.Equal(t, "unreachable:123456789abcdef", c.path(0x123456789abcdef))
	unix.Close(c.root)
}

// What the column STATE prints can be asked for.
func TestStatesAsPrinted(t *testing.T) {
	flags := ours(t, sockopt.Config{Idle: 100 * time.Second})
	for _, s := range allStates {
		assert.Contains(t, statesNamed(strings.ToLower(s.String())), s)
	}
	out, _ := ls(t, append(flags, "--state", "ESTAB")...)
	assert.Contains(t, out, "ESTAB")
	code, _, errs := command("ls", "--state", "established-")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errs, "did you mean established?")
}
