package clitest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/internal/lab"
)

// commandName is what this program is called where it is the command, see program.
const commandName = "keepalive"

// Program is the command as a process of its own: this program under that name, since
// linking another takes seconds. The stage demo of .ci/run runs the real one.
func Program(t *testing.T) string {
	t.Helper()
	own, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), commandName)
	require.NoError(t, os.Symlink(own, path))
	return path
}

// Main is TestMain of a package whose tests start programs with these commands: this
// one, under another name.
func Main(m *testing.M, commands []cli.Command) {
	if filepath.Base(os.Args[0]) == commandName {
		os.Exit(cli.Run(commands, os.Args[1:], os.Stdout, os.Stderr))
	}
	lab.RunManyAtATime(m)
}
