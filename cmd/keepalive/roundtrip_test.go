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
					if format == "envoy" {
						verdicts = []string{"needs a heartbeat"} // Envoy itself ends it after an hour, as the text says
					}
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
