package check

import (
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/ls"
)

var commands = []cli.Command{
	{Name: "check", New: New},
	{Name: "ls", New: ls.New},
}

func command(args ...string) (code int, stdout, stderr string) {
	return clitest.Run(commands, args...)
}
