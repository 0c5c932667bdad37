package demo

import (
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
)

var commands = []cli.Command{{Name: "demo", New: New}}

func command(args ...string) (code int, stdout, stderr string) {
	return clitest.Run(commands, args...)
}
