package discover

import (
	"bytes"
	"encoding/json"
	"net"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// TestAnInterruptedDiscovery prints what is known by then, whatever interrupts it: a key,
// kill, or a terminal that is closed. Under nohup the last of these does not.
func TestAnInterruptedDiscovery(t *testing.T) {
	t.Parallel()
	const ignored = `trap "" HUP; exec "$0" "$@"`
	const plainly = `exec env --default-signal=HUP,INT,TERM "$0" "$@"`
	for rule, tt := range map[string]struct {
		shell   string
		signals []syscall.Signal
	}{
		"SIGINT":  {plainly, []syscall.Signal{syscall.SIGINT}},
		"SIGTERM": {plainly, []syscall.Signal{syscall.SIGTERM}},
		"SIGHUP":  {plainly, []syscall.Signal{syscall.SIGHUP}},
		"nohup":   {ignored, []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM}},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			asked := make(chan bool, 1000)
			testkit.Serve(t, l, func(c net.Conn) {
				b := make([]byte, 1)
				for again := false; ; again = true {
					if _, err := c.Read(b); err != nil {
						return
					}
					c.Write(b)
					if again {
						asked <- true
					}
				}
			})
			var out, errs bytes.Buffer
			cmd := exec.Command("/bin/sh", "-c", tt.shell, clitest.Program(t), "discover", l.Addr().String(), "--mode", "echo", "--min", "300ms", "--json")
			cmd.Stdout, cmd.Stderr = &out, &errs
			require.NoError(t, cmd.Start())
			t.Cleanup(func() { cmd.Process.Kill() })
			for _, s := range tt.signals {
				for range 3 { // those that were asked first have been counted by then
					<-asked
				}
				require.NoError(t, cmd.Process.Signal(s))
			}
			cmd.Wait()
			assert.Equal(t, exit.Unknown, cmd.ProcessState.ExitCode(), "%s %s", cmd.ProcessState, errs.String())
			var r discoveryRecord
			require.NoError(t, json.Unmarshal(out.Bytes(), &r), "%s", out.String())
			assert.Greater(t, r.Alive, 0.2)
			assert.False(t, r.Known)
			assert.Contains(t, errs.String(), "keepalive: interrupted: ")
		})
	}
}
