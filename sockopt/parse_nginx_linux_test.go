package sockopt_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Parse takes what the real nginx takes as so_keepalive, and refuses the rest.
func TestParseIsAsNginx(t *testing.T) {
	t.Parallel()
	nginx := nginxProgram(t)
	for _, form := range []string{
		"on", "off", "30m::10", "7200:75:9", "30m", "30m:10", "30m:", "60", "1d::", "1w::", "1y", "1M", "1M1m", "::9", ":75s:", ":10",
		"1h30m15s", "1h 30m::", "10 ::", "10 20", "1h30", "w5::", "0:10:0", "007::", "::007", "1w1d1h1m1s:2:3",
		"500ms::3", "500ms", "1.5h::", "1m1h::", "1m1m", "1s 5", "1s2 ::", "1s 5s", "w", "::", ":", "0", "0:0:0", "1:2:3:4", "-5::", "::-3", "::+3", "10::+3", "10::+0", "::-0", "10:+5", "::3s", "::1e3",
		"x", "yes", "ON", "1D", "1S", "+5::", "0x10::", "5,", "99999999999999999999::", "::99999999999999999999", "9223372036854775807y::",
	} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			refused := nginxRefuses(t, nginx, form)
			cfg, err := sockopt.Parse(form)
			assert.Equal(t, refused, err != nil, "nginx refuses: %t; Parse: %v, %v", refused, cfg, err)
		})
	}
}

// Where nginx keeps less than it reads: it cuts to 32 bits in silence.
func TestParseRefusesWhatNginxCuts(t *testing.T) {
	t.Parallel()
	nginx := nginxProgram(t)
	for _, form := range []string{"::4294967297", "9223372037::"} {
		assert.False(t, nginxRefuses(t, nginx, form))
		_, err := sockopt.Parse(form)
		assert.Error(t, err, form)
	}
}

func nginxProgram(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("/usr/sbin/nginx"); err == nil { // not on everybody's PATH
		return path
	}
	return testkit.Tool(t, "nginx")
}

// nginxRefuses asks nginx -t. The unix socket needs no port, and the prefix
// nothing outside of the test's directory.
func nginxRefuses(t *testing.T, nginx, form string) bool {
	t.Helper()
	dir, err := os.MkdirTemp("", "nginx") // short: a unix socket's path is
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf := filepath.Join(dir, "c")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3; uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
	server { listen unix:%[1]s/s "so_keepalive=%[2]s"; }
}
`, dir, form), 0o600))
	out, err := exec.Command(nginx, "-t", "-p", dir, "-e", "stderr", "-c", conf).CombinedOutput()
	if err == nil {
		return false
	}
	require.True(t, strings.Contains(string(out), fmt.Sprintf(`invalid so_keepalive value: "%s"`, form)), "%s", out)
	return true
}
