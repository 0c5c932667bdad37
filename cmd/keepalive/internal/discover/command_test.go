package discover

import (
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/cli"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/plan"
)

var commands = []cli.Command{
	{Name: "discover", New: New},
	{Name: "plan", New: plan.New},
}

func command(args ...string) (code int, stdout, stderr string) {
	return clitest.Run(commands, args...)
}
