package main

import (
	"testing"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

func runLs(t *testing.T, flags ...string) (stdout, stderr string) {
	t.Helper()
	return runLsEnding(t, exit.OK, flags...)
}

func runLsEnding(t *testing.T, want int, flags ...string) (stdout, stderr string) {
	t.Helper()
	return clitest.Ending(t, commands, want, append([]string{"ls"}, flags...)...)
}
