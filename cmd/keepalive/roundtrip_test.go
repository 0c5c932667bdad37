package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

// What plan --as writes, check --file reads as that plan, and finds that it survives. The
// two know the syntax of a program from their own sources.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	const planned = "idle=60s,interval=6s,count=3,user-timeout=79s"
	values, _, _ := strings.Cut(planned, ",user-timeout")
	for format, want := range map[string]string{
		"haproxy": planned, "envoy": planned, "postgresql": planned, "libpq": planned,
		"systemd": values, "sysctl": values, "docker": values, "compose": values,
		"redis": "idle=60s,interval=20s,count=3", "ssh": "on", "sshd": "on",
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			_, text, errs := command("plan", "--path", "aws-nlb-tcp", "--as", format)
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644), errs)
			_, out, errs := command("check", "--json", "--path", "aws-nlb-tcp", "--file", path)
			d := json.NewDecoder(strings.NewReader(out))
			n := 0
			for {
				var file struct {
					Format      string
					Connections []struct{ Config, Verdict string }
					Remarks     []struct{ Mistake bool }
				}
				err := d.Decode(&file)
				if err == io.EOF {
					break
				}
				require.NoError(t, err, out)
				for _, c := range file.Connections {
					n++
					assert.Equal(t, format, file.Format)
					assert.Equal(t, want, c.Config)
					verdicts := []string{"survives", "survives if"} // the second where a program has to switch keepalive on
					assert.Contains(t, verdicts, c.Verdict, out)
				}
				for _, r := range file.Remarks {
					assert.False(t, r.Mistake, out)
				}
			}
			assert.Positive(t, n, "%s%s", out, errs)
		})
	}
}

// TestAsAndCheckFileAgree: the exit code of plan --as is that of check --file on what it
// printed.
func TestAsAndCheckFileAgree(t *testing.T) {
	t.Parallel()
	formats := map[string]string{"istio": "kubernetes"}
	for _, name := range conffile.Names() {
		formats[name] = name
	}
	for _, line := range []string{
		"aws-nlb-tcp", "box:10s", "box:30s", "box:3h", "aws-nlb-tls", "aws-alb", "proxy:5m", "server:1h", "aws-vpc-endpoint", "linkerd",
		"aws-vpc-endpoint --assume-refresh", "box:5m,aws-alb", "box:5m,haproxy", "aws-nlb-tls,box:1m", "aws-nlb-tls,box:1m --server",
		"aws-alb --server", "linkerd,box:5m --server", "box:5m --detect 60s", "box:5m --detect 10m", "box:20s --lost-probes 12",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			path := append([]string{"--path"}, strings.Fields(line)...)
			for as, format := range formats {
				want, text, printed := command(append([]string{"plan", "--as", as}, path...)...)
				if text == "" {
					assert.NotZero(t, want, as)
					continue
				}
				file := filepath.Join(t.TempDir(), as)
				require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
				got, out, errs := command(append([]string{"check", "--file", file, "--format", format}, path...)...)
				if line == "aws-nlb-tcp" { // what is recognised is the same
					again, _, errs := command(append([]string{"check", "--file", file}, path...)...)
					assert.Equal(t, got, again, "%s without --format: %s", as, errs)
				}
				if strings.Contains(line, "--lost-probes 12") && (as == "ssh" || as == "sshd") {
					// plan --as also counts how long TCP needs to send a lost message again, of
					// which check --file makes no promise.
					assert.NotZero(t, want, as)
					continue
				}
				if strings.Contains(out, "is this the path?") && want == exit.Problems {
					// plan --as also says that the path needs a heartbeat, and does not know of which.
					assert.Equal(t, exit.Unknown, got, as)
					assert.Contains(t, printed, "is this the path?", as)
					continue
				}
				assert.Equal(t, want, got, "%s\n%s%s\n%s%s", as, text, printed, out, errs)
			}
		})
	}
}
