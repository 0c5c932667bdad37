package conffile_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
)

// systemd logs what it ignores.
func TestSystemdReadsSo(t *testing.T) {
	t.Parallel()
	var unit strings.Builder
	unit.WriteString("[Socket]\nListenStream=127.0.0.1:9\n")
	for _, l := range []string{
		"KeepAlive=maybe", "KeepAliveTimeSec=5min30s", "KeepAliveTimeSec=infinity", "KeepAliveTimeSec=0", "KeepAliveTimeSec=-1", "KeepAliveTimeSec=",
		"KeepAliveProbes=3s", "KeepAliveProbes=-1", "KeepAliveProbes=0x10", "KeepAliveProbes=5000000000", "KeepAliveTime=60", "keepalivetimesec=5",
		"KeepAliveTimeSec=2h 30min", "KeepAliveTimeSec=1.5", "KeepAliveTimeSec=1h 30", "KeepAliveTimeSec=2weeks", "KeepAliveTimeSec=3 M", "KeepAliveTimeSec=1 foo",
		"KeepAlive=T", "KeepAlive=", "KeepAlive=off",
	} {
		unit.WriteString(l + "\n")
	}
	path := file(t, "keepalive-test.socket", unit.String())
	dir := filepath.Dir(path)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "keepalive-test.service"), []byte("[Service]\nExecStart=/bin/true\n"), 0o644))
	cmd := exec.Command(testkit.Tool(t, "systemd-analyze"), "verify", "--man=no", path)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	out, _ := cmd.CombinedOutput()
	doc := one(t, "a.socket", unit.String(), "")
	for i, l := range strings.Split(unit.String(), "\n") {
		ignores := strings.Contains(string(out), fmt.Sprintf("keepalive-test.socket:%d: ", i+1))
		says := false
		for _, r := range doc.All() {
			says = says || r.Line == i+1 && strings.Contains(r.Text, "ignores it")
		}
		assert.Equal(t, ignores, says, "%s: %s", l, out)
	}
	for text, micros := range map[string]string{"1.5h": "5400000000", "2 weeks": "1209600000000", "1y": "31557600000000", "1h 30": "3630000000", "5000ms": "5000000"} {
		out, ok := run(t, "systemd-analyze", "timespan", text)
		require.True(t, ok, out)
		assert.Contains(t, out, " "+micros+"\n", text)
		doc := one(t, "a.socket", "[Socket]\nKeepAlive=yes\nKeepAliveTimeSec="+text, "")
		var us int64
		fmt.Sscan(micros, &us)
		if us/1e6 <= 32767 {
			assert.Equal(t, time.Duration(us)*time.Microsecond, doc.Legs[0].Config.Idle, text)
		} else {
			assert.True(t, has(doc, 3, conffile.Refused), text)
		}
	}
}

// The kernel itself: what sysctl(8) sets is what is said.
func TestSysctlDoesSo(t *testing.T) {
	t.Parallel()
	text := "net.ipv4.tcp_keepalive_time = 0x3c\n-net/ipv4/tcp_keepalive_intvl=40000\nnet.ipv4.tcp_keepalive_probes=200\n"
	n := lab.NewNamespace(t)
	n.Run("", "sysctl", "-p", file(t, "a.conf", text))
	doc := one(t, "sysctl.conf", text, "")
	require.Len(t, doc.Legs, 1)
	require.NoError(t, n.Do(func() error {
		defaults, err := kernel.SystemDefaults()
		defaults.Known |= kernel.SetOf(platform.KeepAlive)
		defaults.Enabled = true
		assert.Equal(t, kernel.Linux().Effect(kernel.Request(doc.Legs[0].Config), platform.Settings{Known: kernel.SetOf(platform.UserTimeout)}).String(), defaults.String())
		for line, refused := range map[string]bool{
			"tcp_keepalive_time 9000000": true, "tcp_keepalive_probes 256": true, "tcp_keepalive_probes 255": false,
			"tcp_keepalive_intvl 75000": false, "tcp_keepalive_time 60s": true,
		} {
			name, value, _ := strings.Cut(line, " ")
			err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0)
			assert.Equal(t, refused, err != nil, "%s: %v", line, err)
			doc := one(t, "sysctl.conf", "net.ipv4."+name+"="+value, "")
			assert.Equal(t, refused, len(doc.Legs) == 0, "%s: %v", line, doc.All())
		}
		return err
	}))
}

// ssh -G and sshd -T print what is in force.
func TestSSHReadsSo(t *testing.T) {
	t.Parallel()
	testkit.Tool(t, "ssh")
	for _, tt := range []struct{ text, host string }{
		{"Host *\n ServerAliveInterval 1m30s\n ServerAliveCountMax=5\n", "a"},
		{"Host *\n ServerAliveInterval 60\nHost db\n ServerAliveInterval 10\n", "db"},
		{"Host db\n ServerAliveInterval \"10\"\n TCPKeepAlive no\nHost *\n ServerAliveInterval 60\n", "db"},
		{"TCPKeepAlive false\nServerAliveInterval 20\nServerAliveInterval 30\n", "a"},
		{"KeepAlive yes\nServerAliveInterval=2h\n", "a"},
	} {
		out, ok := run(t, "ssh", "-G", "-F", file(t, "config", tt.text), tt.host)
		require.True(t, ok, out)
		doc := one(t, "ssh_config", tt.text, "")
		l := doc.Legs[0]
		for _, other := range doc.Legs {
			if strings.HasSuffix(other.Name, " "+tt.host) {
				l = other
			}
		}
		assert.Contains(t, out, fmt.Sprintf("serveraliveinterval %d\n", int(l.Heartbeat.Seconds())), tt.text)
		assert.Contains(t, out, "tcpkeepalive "+map[bool]string{true: "no", false: "yes"}[l.Config.Disabled]+"\n", tt.text)
	}
	for text, refused := range map[string]bool{
		"ServerAliveInterval 1.5": true, "TCPKeepAlive maybe": true, "ClientAliveInterval 5": true, "ServerAliveIntervall 5": true,
		"ServerAliveCountMax x": true, "TCPKeepAlive yes": false, "ServerAliveInterval 1w": false,
	} {
		out, ok := run(t, "ssh", "-G", "-F", file(t, "config", text+"\n"), "a")
		assert.Equal(t, !refused, ok, "%s: %s", text, out)
		mistakes := 0
		for _, r := range one(t, "ssh_config", text, "").All() {
			if r.Kind.Mistake() {
				mistakes++
			}
		}
		assert.Equal(t, refused, mistakes > 0, text)
	}
}

func TestSSHDReadsSo(t *testing.T) {
	testkit.Root(t)
	t.Parallel()
	key := file(t, "x", "") + ".key"
	out, ok := run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	require.True(t, ok, out)
	require.NoError(t, os.Chmod(key, 0o644))
	for text, refused := range map[string]bool{
		"ClientAliveInterval 60\nClientAliveCountMax 0\nTCPKeepAlive no\n":     false,
		"ClientAliveInterval 1m\nClientAliveInterval 5\n":                      false,
		"TCPKeepAlive yes\nMatch User a\n TCPKeepAlive no\n":                   true,
		"ClientAliveInterval 60\nMatch User nobody\n ClientAliveInterval 10\n": false,
		"ClientAliveInterval 60\nMatch all\n ClientAliveInterval 10\n":         false,
		"ServerAliveInterval 5\n":                                              true,
		"TCPKeepAlive maybe\n":                                                 true,
	} {
		// As root it wants /run/sshd, which its service makes.
		out, ok := run(t, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
			testkit.Tool(t, "sshd"), "-T", "-h", key, "-f", file(t, "sshd_config", text), "-C", "user=nobody,host=a,addr=127.0.0.1")
		require.Equal(t, !refused, ok, "%s: %s", text, out)
		doc := one(t, "sshd_config", text, "")
		require.NoError(t, doc.Err)
		if refused {
			assert.Condition(t, func() bool {
				for _, r := range doc.All() {
					if r.Kind.Mistake() {
						return true
					}
				}
				return false
			}, text)
			continue
		}
		l := doc.Legs[len(doc.Legs)-1] // that of the Match block, if there is one
		assert.Contains(t, out, fmt.Sprintf("clientaliveinterval %d\n", int(l.Heartbeat.Seconds())), text)
		assert.Contains(t, out, "tcpkeepalive "+map[bool]string{true: "no", false: "yes"}[l.Config.Disabled]+"\n", text)
	}
}
